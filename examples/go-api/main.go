// An API in Go behind the sidecar: it asks for each request, and takes from the answer whose it is.
package main

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// A sidecar of this machine answers within its own wait of a quarter of a second.
var sidecar = &http.Client{Timeout: 2 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error {
	return http.ErrUseLastResponse
}}

func setting(name, usual string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return usual
}

// Refusals are passed on as they are: clients know the challenge, the code and Retry-After.
func passOn(response http.ResponseWriter, verdict *http.Response) {
	for _, name := range []string{"Content-Type", "WWW-Authenticate", "Retry-After", "Cache-Control"} {
		if value := verdict.Header.Get(name); value != "" {
			response.Header().Set(name, value)
		}
	}
	response.WriteHeader(verdict.StatusCode)
	_, _ = io.Copy(response, verdict.Body)
}

// The fields come from the sidecar's answer, never from the request: a client can set any field.
func guarded(requirements string, next func(http.ResponseWriter, *http.Request, http.Header)) http.HandlerFunc {
	check := setting("SIDECAR_URL", "http://127.0.0.1:8680") + "/check?" + requirements
	return func(response http.ResponseWriter, request *http.Request) {
		asked, err := http.NewRequestWithContext(request.Context(), http.MethodGet, check, nil)
		if err == nil {
			asked.Header["Authorization"] = request.Header["Authorization"]
			var verdict *http.Response
			if verdict, err = sidecar.Do(asked); err == nil {
				defer verdict.Body.Close()
				switch verdict.StatusCode {
				case http.StatusOK:
					next(response, request, verdict.Header)
					return
				case http.StatusUnauthorized, http.StatusForbidden, http.StatusServiceUnavailable:
					passOn(response, verdict)
					return
				}
			}
		}
		response.Header().Set("Retry-After", "1")
		http.Error(response, "no verdict", http.StatusServiceUnavailable)
	}
}

func list(value string) []string {
	items := []string{}
	for _, item := range strings.Split(value, ",") {
		if text, err := url.PathUnescape(item); err == nil && text != "" {
			items = append(items, text)
		}
	}
	return items
}

func notes(response http.ResponseWriter, _ *http.Request, caller http.Header) {
	response.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(response).Encode(map[string]any{
		"account": caller.Get("Catalytic-Subject"),
		"roles":   list(caller.Get("Catalytic-Roles")),
		"notes":   []string{"water the plants"},
	})
}

func main() {
	routes := http.NewServeMux()
	routes.HandleFunc("GET /notes", guarded("", notes))
	// Only editors, and only for five minutes after they have typed their password.
	routes.HandleFunc("DELETE /notes", guarded("role=editor&fresh=5m", notes))
	server := &http.Server{Addr: "127.0.0.1:" + setting("PORT", "3000"), Handler: routes}
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, syscall.SIGTERM, os.Interrupt)
	done := make(chan struct{})
	go func() {
		<-stopped
		_ = server.Shutdown(context.Background())
		close(done)
	}()
	log.Printf("The API listens on http://%s", server.Addr)
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		log.Fatal(err)
	}
	<-done
}
