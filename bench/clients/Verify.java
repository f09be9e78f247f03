import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSVerifier;
import com.nimbusds.jose.crypto.Ed25519Verifier;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.springframework.security.oauth2.jose.jws.SignatureAlgorithm;
import org.springframework.security.oauth2.jwt.JwtValidators;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;

/**
 * Verifies tokens with Nimbus and with Spring Security. The arguments are one of the two, and a file of lines: algorithm, issuer, token.
 */
public class Verify {
  private static final DefaultJOSEObjectTypeVerifier<SecurityContext> ACCESS_TOKEN =
      new DefaultJOSEObjectTypeVerifier<>(new JOSEObjectType("at+jwt"));

  public static void main(String[] words) throws Exception {
    for (String line : Files.readAllLines(Path.of(words[1]))) {
      String[] fields = line.split(" ");
      String result = "accepted";
      try {
        if (words[0].equals("nimbus")) nimbus(fields[0], fields[1], fields[2]);
        else spring(fields[0], fields[1], fields[2]);
      } catch (Exception refused) {
        result = refused.getClass().getSimpleName() + " " + refused.getMessage();
      }
      System.out.println(fields[0] + " " + result);
    }
    System.exit(0);
  }

  private static void nimbus(String algorithm, String issuer, String token) throws Exception {
    URI keys = URI.create(issuer + "/.well-known/jwks.json");
    DefaultJWTClaimsVerifier<SecurityContext> claims =
        new DefaultJWTClaimsVerifier<>(issuer, new JWTClaimsSet.Builder().issuer(issuer).build(), Set.of("exp", "sub"));
    // The processor has no verifier of Ed25519 keys: the token is then verified by hand, as the library's guide shows.
    if (algorithm.startsWith("Ed")) {
      SignedJWT signed = SignedJWT.parse(token);
      JWK key = JWKSet.load(keys.toURL()).getKeyByKeyId(signed.getHeader().getKeyID());
      JWSVerifier verifier = new Ed25519Verifier(key.toOctetKeyPair());
      if (!signed.verify(verifier)) throw new IllegalStateException("the signature is wrong");
      claims.verify(signed.getJWTClaimsSet(), null);
      return;
    }
    DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();
    processor.setJWSTypeVerifier(ACCESS_TOKEN);
    processor.setJWSKeySelector(
        new JWSVerificationKeySelector<>(JWSAlgorithm.parse(algorithm), JWKSourceBuilder.create(keys.toURL()).build()));
    processor.setJWTClaimsSetVerifier(claims);
    processor.process(token, null);
  }

  private static void spring(String algorithm, String issuer, String token) {
    SignatureAlgorithm known = SignatureAlgorithm.from(algorithm);
    if (known == null) throw new IllegalArgumentException("Spring Security has no algorithm " + algorithm);
    NimbusJwtDecoder decoder =
        NimbusJwtDecoder.withJwkSetUri(issuer + "/.well-known/jwks.json")
            .jwsAlgorithm(known)
            .jwtProcessorCustomizer(processor -> processor.setJWSTypeVerifier(ACCESS_TOKEN))
            .build();
    decoder.setJwtValidator(JwtValidators.createDefaultWithIssuer(issuer));
    decoder.decode(token);
  }
}
