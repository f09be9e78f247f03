/**
 * TLS of the public listener: Mozilla's "intermediate" configuration (https://wiki.mozilla.org/Security/Server_Side_TLS), version 5.7,
 * without the suites of finite-field Diffie-Hellman, which need parameters of their own and which no client since 2014 depends on.
 * @module
 */
import type { ServerOptions } from 'node:https';
import { Server as TlsServer } from 'node:tls';

/** A certificate and its key, PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** Where the pair comes from, now and later. */
export interface KeyPairSource {
  readonly current: KeyPair;
  onChange(use: (pair: KeyPair) => void): void;
}

// TLS 1.3 first; for 1.2 only what has forward secrecy and authenticated encryption. The client's order counts: it knows what it is fast at.
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

const contextOptions = ({ cert, key }: KeyPair) =>
  ({
    cert,
    key,
    ciphers,
    honorCipherOrder: false,
    minVersion: 'TLSv1.2',
    // By default it is made of the command line, which differs from worker to worker: a session would resume at one of them only.
    sessionIdContext: 'catalytic',
  }) as const;

/**
 * Options of an HTTPS server.
 * @param handshakeMs how long a client may take to shake hands
 */
export const tlsOptions = (pair: KeyPair, handshakeMs: number): ServerOptions => ({
  ...contextOptions(pair),
  handshakeTimeout: handshakeMs,
  // A client that speaks HTTP/2 only is told so by the handshake.
  ALPNProtocols: ['http/1.1'],
});

/** Lets a server follow the pair: new connections get the new one, open ones keep what they have. */
export const followKeyPair = (server: object, source: KeyPairSource): void => {
  if (!(server instanceof TlsServer)) throw new Error('Only a TLS server has a certificate');
  source.onChange((pair) => {
    // Tickets stay good, and those of all workers of a machine are the same: Node hands the keys of the first one on.
    server.setSecureContext({ ...contextOptions(pair), ticketKeys: server.getTicketKeys() });
  });
};
