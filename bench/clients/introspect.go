// Introspects with zitadel/oidc. The arguments are the issuer, id and secret of the client, its way to authenticate, a live and a dead token.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/zitadel/oidc/v3/pkg/client/rs"
	"github.com/zitadel/oidc/v3/pkg/oidc"
)

func main() {
	issuer, client, secret, live, dead := os.Args[1], os.Args[2], os.Args[3], os.Args[5], os.Args[6]
	ctx := context.Background()
	endpoints := rs.WithStaticEndpoints(issuer+"/oauth/token", issuer+"/oauth/introspect")
	resource, err := rs.NewResourceServerClientCredentials(ctx, issuer, client, secret, endpoints)
	if err != nil {
		panic(err)
	}
	for _, each := range [][2]string{{"live", live}, {"dead", dead}} {
		answer, err := rs.Introspect[*oidc.IntrospectionResponse](ctx, resource, each[1])
		if err != nil {
			panic(err)
		}
		if answer.Active {
			fmt.Println(each[0], answer.Subject)
		} else {
			fmt.Println(each[0], "inactive")
		}
	}
}
