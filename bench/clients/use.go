// Signs in, verifies and signs out with the generated client of Go: URL, email and password are the arguments.
package main

import (
	"context"
	"fmt"
	"os"

	"example.com/catalytic/client"
)

func must(what string, err error) {
	if err != nil {
		fmt.Println(what+":", err)
		os.Exit(1)
	}
}

func main() {
	config := client.NewConfiguration()
	config.Servers = client.ServerConfigurations{{URL: os.Args[1]}}
	api := client.NewAPIClient(config)
	tokens, _, err := api.SessionsAPI.PostAuthLogin(context.Background()).SignIn(*client.NewSignIn(os.Args[2], os.Args[3])).Execute()
	must("sign-in", err)
	signedIn := context.WithValue(context.Background(), client.ContextAccessToken, tokens.AccessToken)
	verified, _, err := api.AccessTokensAPI.GetAuthVerify(signedIn).Execute()
	must("verify", err)
	revoked, _, err := api.SessionsAPI.PostAuthLogout(signedIn).Execute()
	must("sign-out", err)
	_, answer, err := api.AccessTokensAPI.GetAuthVerify(signedIn).Execute()
	if err == nil || answer.StatusCode != 401 || !verified.Active || !revoked.Revoked {
		fmt.Println("a signed-out token was not refused")
		os.Exit(1)
	}
	fmt.Println("used")
}
