// An API in Java behind the sidecar: it asks for each request, and takes from the answer whose it is.
// Java 17 or newer: java Main.java

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Executors;

public final class Main {
    private static final String SIDECAR = setting("SIDECAR_URL", "http://127.0.0.1:8680");
    // It follows no redirect, which is the usual setting.
    private static final HttpClient CLIENT = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private static final List<String> PASSED_ON =
            List.of("Content-Type", "WWW-Authenticate", "Retry-After", "Cache-Control");

    private static String setting(String name, String usual) {
        String value = System.getenv(name);
        return value == null || value.isEmpty() ? usual : value;
    }

    /** Asks the sidecar. A sidecar of this machine answers within its own wait of a quarter of a second. */
    private static HttpResponse<byte[]> verdict(HttpExchange exchange, String requirements) throws Exception {
        HttpRequest.Builder asked =
                HttpRequest.newBuilder(URI.create(SIDECAR + "/check?" + requirements)).timeout(Duration.ofSeconds(2));
        for (String value : exchange.getRequestHeaders().getOrDefault("Authorization", List.of()))
            asked.header("Authorization", value);
        return CLIENT.send(asked.build(), HttpResponse.BodyHandlers.ofByteArray());
    }

    private static void answer(HttpExchange exchange, int status, byte[] body) throws IOException {
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    private static void guarded(HttpExchange exchange) throws IOException {
        // Only editors delete, and only for five minutes after they have typed their password.
        String requirements = exchange.getRequestMethod().equals("DELETE") ? "role=editor&fresh=5m" : "";
        HttpResponse<byte[]> verdict = null;
        try {
            verdict = verdict(exchange, requirements);
        } catch (Exception error) {
            System.err.println("The sidecar does not answer: " + error);
        }
        int status = verdict == null ? 0 : verdict.statusCode();
        if (status == 200) {
            notes(exchange, verdict.headers());
        } else if (status == 401 || status == 403 || status == 503) {
            // As it is: clients know the challenge, the code and Retry-After.
            for (String name : PASSED_ON)
                for (String value : verdict.headers().allValues(name)) exchange.getResponseHeaders().add(name, value);
            answer(exchange, status, verdict.body());
        } else {
            exchange.getResponseHeaders().set("Retry-After", "1");
            answer(exchange, 503, new byte[0]);
        }
    }

    private static List<String> list(String value) {
        return Arrays.stream(value.split(","))
                .filter(item -> !item.isEmpty())
                // The sidecar writes a space as %20, and a plus sign as %2B.
                .map(item -> URLDecoder.decode(item, StandardCharsets.UTF_8))
                .toList();
    }

    /** The fields come from the sidecar's answer, never from the request: a client can set any field. */
    private static void notes(HttpExchange exchange, HttpHeaders caller) throws IOException {
        String account = caller.firstValue("Catalytic-Subject").orElse("");
        int roles = list(caller.firstValue("Catalytic-Roles").orElse("")).size();
        String body = "{\"account\":\"%s\",\"roles\":%d,\"notes\":[\"water the plants\"]}".formatted(account, roles);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        answer(exchange, 200, body.getBytes(StandardCharsets.UTF_8));
    }

    public static void main(String[] words) throws IOException {
        InetSocketAddress address = new InetSocketAddress("127.0.0.1", Integer.parseInt(setting("PORT", "3000")));
        HttpServer server = HttpServer.create(address, 0);
        server.setExecutor(Executors.newFixedThreadPool(16));
        server.createContext("/notes", Main::guarded);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> server.stop(1)));
        server.start();
        System.out.println("The API listens on http://127.0.0.1:" + address.getPort());
    }
}
