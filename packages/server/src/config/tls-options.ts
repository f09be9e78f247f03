/**
 * Options of TLS, part of the one schema in `options.ts`.
 * @module
 */
import type { Option } from './option.ts';

/** Every option of TLS, by the name of its field in the configuration. */
export const tlsOptions = {
  tlsCertFile: {
    kind: 'text',
    name: 'TLS_CERT_FILE',
    default: undefined,
    defaultText: 'none: plain HTTP',
    description:
      'PEM file of the certificate, followed by its intermediates; with TLS_KEY_FILE the public listener speaks HTTPS. Both are read again every minute and at SIGHUP, without dropping connections.',
  },
  tlsKeyFile: {
    kind: 'text',
    name: 'TLS_KEY_FILE',
    default: undefined,
    defaultText: 'none: plain HTTP',
    description: 'PEM file of the private key of TLS_CERT_FILE, without a passphrase.',
  },
} as const satisfies Record<string, Option>;

/** The part of the configuration about TLS: both files, or neither. */
export interface TlsConfig {
  readonly tlsCertFile: string | undefined;
  readonly tlsKeyFile: string | undefined;
}
