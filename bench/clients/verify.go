// Verifies tokens with lestrrat-go/jwx. The argument is a file of lines: algorithm, issuer, token.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jwt"
)

func main() {
	file, err := os.Open(os.Args[1])
	if err != nil {
		panic(err)
	}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		words := strings.Fields(lines.Text())
		algorithm, issuer, token := words[0], words[1], words[2]
		keys, err := jwk.Fetch(context.Background(), issuer+"/.well-known/jwks.json")
		if err == nil {
			_, err = jwt.Parse([]byte(token), jwt.WithKeySet(keys), jwt.WithIssuer(issuer), jwt.WithAudience(issuer))
		}
		if err == nil {
			fmt.Println(algorithm, "accepted")
		} else {
			fmt.Println(algorithm, strings.ReplaceAll(err.Error(), "\n", " "))
		}
	}
}
