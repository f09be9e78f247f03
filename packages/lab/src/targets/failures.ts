/**
 * Failures on the way to a target, in plain words, each with its remedy.
 * @module
 */

/** A connection that the target ended: of an idle one this may be no fault of either side. */
export const closedByTarget = 'connection closed by the target';
/** One that broke without being closed. */
export const connectionReset = 'connection reset';

interface Failure {
  /** Name under which such a failure is counted. */
  readonly name: string;
  /** Remedy, where it is more than starting the target. */
  readonly remedy?: string;
}

const trustIt = 'trust its authority with --ca FILE (PEM), or take any certificate with --insecure';
const selfSigned: Failure = { name: 'certificate: self-signed', remedy: trustIt };
const unknownIssuer: Failure = {
  name: 'certificate: unknown issuer',
  remedy: `the target may have to send its intermediate certificates, too; ${trustIt}`,
};
const wrongScheme: Failure = { name: 'HTTP in place of TLS', remedy: 'write http:// in place of https://' };
const wantsCertificate: Failure = {
  name: 'client certificate asked for',
  remedy: 'the lab has none to show: name an address of the target that asks for none',
};
const noCommonTls: Failure = {
  name: 'no common version or cipher of TLS',
  remedy: 'let the target speak TLS 1.2 or 1.3',
};
const noRoute: Failure = { name: 'no route to the target', remedy: 'see that this machine reaches its network' };
const noPort: Failure = { name: 'no free port on the generator', remedy: 'give the users --source-addresses' };

const byCode: Readonly<Record<string, Failure>> = {
  ECONNREFUSED: { name: 'connection refused' },
  ECONNRESET: { name: connectionReset },
  EPIPE: { name: connectionReset },
  ETIMEDOUT: { name: 'connect timeout' },
  ENOTFOUND: { name: 'host name not found', remedy: 'see how the host of --target is spelled' },
  EAI_AGAIN: { name: 'name server does not answer', remedy: 'give --target an IP address' },
  EHOSTUNREACH: noRoute,
  ENETUNREACH: noRoute,
  EADDRNOTAVAIL: noPort,
  EADDRINUSE: noPort,
  EMFILE: { name: 'no free descriptor on the generator', remedy: 'raise "ulimit -n"' },
  DEPTH_ZERO_SELF_SIGNED_CERT: selfSigned,
  SELF_SIGNED_CERT_IN_CHAIN: unknownIssuer,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownIssuer,
  UNABLE_TO_GET_ISSUER_CERT: unknownIssuer,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownIssuer,
  CERT_HAS_EXPIRED: { name: 'certificate: expired', remedy: 'renew it, or take any certificate with --insecure' },
  CERT_NOT_YET_VALID: {
    name: 'certificate: not valid yet',
    remedy: 'set the clock of this machine, or take any certificate with --insecure',
  },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    name: 'certificate: for another host name',
    remedy: 'name the target as its certificate does, or take any certificate with --insecure',
  },
  ERR_SSL_WRONG_VERSION_NUMBER: wrongScheme,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: wrongScheme,
  ERR_SSL_HTTP_REQUEST: wrongScheme,
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: wantsCertificate,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: noCommonTls,
  ERR_SSL_UNSUPPORTED_PROTOCOL: noCommonTls,
};

const remedies: ReadonlyMap<string, string> = new Map([
  ...Object.values(byCode).flatMap(({ name, remedy }) => (remedy === undefined ? [] : [[name, remedy] as const])),
  ['TLS in place of HTTP', 'write https:// in place of http://'],
  ['TLS handshake timeout', 'see that the target speaks TLS at this port'],
  ['TLS handshake refused', 'the target may ask for a client certificate, or for a host name that it knows'],
]);

/** Name of an error of a socket. */
export const nameOf = ({ code, name }: NodeJS.ErrnoException): string => {
  const known = byCode[code ?? ''];
  if (known !== undefined) return known.name;
  // The target has ended a handshake without a reason that says more.
  if (/^ERR_SSL_.*ALERT/.test(code ?? '')) return 'TLS handshake refused';
  return code ?? name ?? 'unknown failure';
};

/**
 * Whether a request failed for want of something on this machine: then the load was not the one
 * asked for, and the target had no part in it.
 */
export const isOfGenerator = (failure: string): boolean => failure.endsWith(' on the generator');

/**
 * The remedy for a failure.
 * @param target address of the target
 * @returns `undefined` where nothing is known but to start the target
 */
export const remedyFor = (failure: string, target: string): string | undefined =>
  // A server of TLS that is spoken to in plain HTTP closes, most often without a word.
  failure === closedByTarget && target.startsWith('http:')
    ? 'if it speaks TLS, write https:// in place of http://'
    : remedies.get(failure);
