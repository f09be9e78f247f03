import client.ApiClient;
import client.ApiException;
import client.api.AccessTokensApi;
import client.api.SessionsApi;
import client.auth.HttpBearerAuth;
import client.model.SignIn;

/** Signs in, verifies and signs out with the generated client of Java: URL, email and password are the arguments. */
public class Use {
  public static void main(String[] words) throws ApiException {
    ApiClient api = new ApiClient().setBasePath(words[0]);
    SessionsApi sessions = new SessionsApi(api);
    AccessTokensApi tokens = new AccessTokensApi(api);
    // setBearerToken of the client would set whichever of the three kinds of bearer it finds first.
    ((HttpBearerAuth) api.getAuthentication("accessToken"))
        .setBearerToken(sessions.postAuthLogin(new SignIn().email(words[1]).password(words[2])).getAccessToken());
    if (!tokens.getAuthVerify().getActive()) throw new IllegalStateException("the token is not active");
    if (!sessions.postAuthLogout(null).getRevoked()) throw new IllegalStateException("the token is not revoked");
    try {
      tokens.getAuthVerify();
      throw new IllegalStateException("a signed-out token was not refused");
    } catch (ApiException refused) {
      if (refused.getCode() != 401) throw refused;
    }
    System.out.println("used");
    System.exit(0);
  }
}
