/**
 * Traefik and Envoy as a guard meets them: clients that send what these gateways send, and do with the answer what they do, written from
 * Traefik's `pkg/middlewares/auth/forward.go` (3.0) and Envoy's `ext_authz_http_impl.cc` (1.27) and set as in `examples/gateways`.
 * @module
 */
import type { Answer } from './client.ts';
import { exchange } from './raw.ts';

/** A request as a client has sent it to the gateway. */
export interface ClientRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What becomes of the request: it goes to the API with these headers, or the client is given an answer. */
export type Fate =
  | { readonly kind: 'passed'; readonly headers: Readonly<Record<string, string>> }
  | { readonly kind: 'refused'; readonly status: number; readonly challenge: string | null };

const client = '203.0.113.7';
const host = 'api.example.com';

const identityNames = ['subject', 'tenant', 'session', 'roles', 'scope', 'expires'].map((name) => `catalytic-${name}`);

const send = async (url: string, lines: readonly string[]): Promise<Answer | undefined> => {
  // The gateway keeps its connection; the test needs one answer.
  const bytes = [...lines, 'Connection: close', '', ''].join('\r\n');
  const [answer] = await exchange(url, Buffer.from(bytes, 'latin1')).catch(() => []);
  return answer;
};

const refused = ({ status, headers }: Answer): Fate => ({
  kind: 'refused',
  status,
  challenge: headers.get('www-authenticate'),
});

/** Traefik's `forwardAuth` with `authRequestHeaders: [Authorization]` and `trustForwardHeader: false`. */
export const passTraefik = async (url: string, { method, target, headers }: ClientRequest): Promise<Fate> => {
  const { authorization } = headers;
  const answer = await send(url, [
    'GET /check HTTP/1.1',
    `Host: ${new URL(url).host}`,
    'User-Agent: Go-http-client/1.1',
    ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
    `X-Forwarded-For: ${client}`,
    `X-Forwarded-Host: ${host}`,
    `X-Forwarded-Method: ${method}`,
    'X-Forwarded-Proto: https',
    `X-Forwarded-Uri: ${target}`,
    'Accept-Encoding: gzip',
  ]);
  if (answer === undefined) return { kind: 'refused', status: 500, challenge: null };
  if (answer.status < 200 || answer.status > 299) return refused(answer);
  const passed: Record<string, string> = { ...headers };
  for (const name of identityNames) {
    delete passed[name];
    const value = answer.headers.get(name);
    if (value !== null) passed[name] = value;
  }
  return { kind: 'passed', headers: passed };
};

/** Envoy's `ext_authz` over HTTP; the path of the URL is its `path_prefix`, with `failure_mode_allow: false` and `status_on_error` 503. */
export const passEnvoy = async (url: string, { method, target, headers }: ClientRequest): Promise<Fate> => {
  const { authorization } = headers;
  const { pathname: prefix } = new URL(url);
  const answer = await send(url, [
    `${method} ${prefix === '/' ? '' : prefix}${target} HTTP/1.1`,
    `host: ${host}`,
    // Envoy sends no body, and says so.
    'content-length: 0',
    ...(authorization === undefined ? [] : [`authorization: ${authorization}`]),
    'x-envoy-internal: true',
    `x-forwarded-for: ${client}`,
    'x-envoy-expected-rq-timeout-ms: 2000',
  ]);
  // Envoy takes any 5xx of the guard for an error.
  if (answer === undefined || answer.status >= 500) return { kind: 'refused', status: 503, challenge: null };
  if (answer.status !== 200) return refused(answer);
  const passed: Record<string, string> = { ...headers };
  for (const [name, value] of answer.headers) if (name.startsWith('catalytic-')) passed[name] = value;
  return { kind: 'passed', headers: passed };
};
