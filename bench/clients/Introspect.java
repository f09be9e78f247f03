import org.springframework.security.oauth2.server.resource.introspection.BadOpaqueTokenException;
import org.springframework.security.oauth2.server.resource.introspection.OpaqueTokenIntrospector;
import org.springframework.security.oauth2.server.resource.introspection.SpringOpaqueTokenIntrospector;

/**
 * Introspects with Spring Security. The arguments are the issuer, id and secret of the client, its way to authenticate, a live and a dead token.
 */
public class Introspect {
  public static void main(String[] words) {
    OpaqueTokenIntrospector introspector =
        SpringOpaqueTokenIntrospector.withIntrospectionUri(words[0] + "/oauth/introspect")
            .clientId(words[1])
            .clientSecret(words[2])
            .build();
    System.out.println("live " + introspect(introspector, words[4]));
    System.out.println("dead " + introspect(introspector, words[5]));
  }

  private static String introspect(OpaqueTokenIntrospector introspector, String token) {
    try {
      return introspector.introspect(token).getAttribute("sub");
    } catch (BadOpaqueTokenException refused) {
      return "inactive";
    }
  }
}
