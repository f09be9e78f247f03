/**
 * The URL of a PostgreSQL database, with one host or several.
 * @module
 */

/** Where a database may be found. */
export interface Address {
  /** One URL for each host, in the order in which they are tried. */
  readonly urls: readonly string[];
}

/** Parameters of a URL that would replace the service's own settings. */
const reserved = [
  'application_name',
  'fallback_application_name',
  'statement_timeout',
  'client_encoding',
  'target_session_attrs',
] as const;

/** The values of `target_session_attrs` with which a primary may be chosen (libpq, section 34.1.2). */
const primaryAttributes = ['any', 'primary', 'read-write'];

/**
 * The values of `sslmode`. The library would warn of three of them on standard error, and treats
 * them as `verify-full`. So does the service: a connection is never less safe than its mode says.
 */
const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'];
const verifiedModes = ['allow', 'prefer', 'require', 'verify-ca'];

const authority = /^(?<scheme>postgres(?:ql)?:\/\/)(?<user>(?:[^/?#]*@)?)(?<hosts>[^/?#@]*)(?<rest>.*)$/;

/** One URL for each host of the authority, or of the parameters `host` and `port`. */
const splitHosts = (text: string): readonly URL[] => {
  const { scheme = '', user = '', hosts = '', rest = '' } = authority.exec(text)?.groups ?? {};
  const urls = hosts.split(',').map((host) => {
    // A URL that names its hosts in a parameter has none here.
    const url = URL.parse(`${scheme}${user}${host || 'localhost'}${rest}`);
    // The parser's own error would carry the password.
    if (url === null) throw new Error(`its URL has "${hosts}" where a list of hosts is expected`);
    return url;
  });
  const [first] = urls;
  const named = first?.searchParams.get('host')?.split(',') ?? [];
  if (first === undefined || named.length < 2) return urls;
  const ports = first.searchParams.get('port')?.split(',') ?? [];
  return named.map((host, index) => {
    const url = new URL(first);
    url.searchParams.set('host', host);
    const port = ports[index] ?? ports[0];
    if (port !== undefined) url.searchParams.set('port', port);
    return url;
  });
};

const refuse = (name: string, value: string, allowed: readonly string[]): never => {
  throw new Error(`${name}=${value} in its URL is not one of ${allowed.join(', ')}`);
};

/**
 * Reads a URL in the form of libpq: `postgres://user:password@one:5432,two:5432/database`, or with
 * the parameters `host` and `port`.
 * @throws Error when a parameter is not known, without the URL's password
 */
export const readAddress = (text: string): Address => ({
  urls: splitHosts(text).map((url) => {
    const parameters = url.searchParams;
    const attributes = parameters.get('target_session_attrs');
    if (attributes !== null && !primaryAttributes.includes(attributes))
      refuse('target_session_attrs', attributes, primaryAttributes);
    for (const name of reserved) parameters.delete(name);
    const sslMode = parameters.get('sslmode');
    if (sslMode !== null && !sslModes.includes(sslMode)) refuse('sslmode', sslMode, sslModes);
    if (sslMode !== null && verifiedModes.includes(sslMode) && parameters.get('uselibpqcompat') !== 'true')
      parameters.set('sslmode', 'verify-full');
    return url.href;
  }),
});
