/**
 * TLS of the public listener: Mozilla's "intermediate" configuration
 * (https://wiki.mozilla.org/Security/Server_Side_TLS), version 5.7, without the suites of
 * finite-field Diffie-Hellman, which need further parameters and which no client since 2014 depends
 * on.
 * @module
 */
import type { ServerOptions } from 'node:https';
import { Server as TlsServer } from 'node:tls';

/** A certificate and its key, PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** The present pair, and news of the next. */
export interface KeyPairSource {
  readonly current: KeyPair;
  onChange(use: (pair: KeyPair) => void): void;
}

// TLS 1.3 first. For TLS 1.2, only suites with forward secrecy and authenticated encryption. The
// client's order counts: a client knows which suite is fast for it.
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
    // By default Node makes it of the command line, which differs from worker to worker: a session
    // would resume at one of them only.
    sessionIdContext: 'catalytic',
  }) as const;

/**
 * Options of an HTTPS server.
 * @param handshakeMs how long a client may take to shake hands
 */
export const tlsOptions = (pair: KeyPair, handshakeMs: number): ServerOptions => ({
  ...contextOptions(pair),
  handshakeTimeout: handshakeMs,
  // A client that speaks only HTTP/2 learns from the handshake that this server does not.
  ALPNProtocols: ['http/1.1'],
});

/**
 * Lets a server follow the pair: new connections get the new pair, open connections keep theirs.
 */
export const followKeyPair = (server: object, source: KeyPairSource): void => {
  if (!(server instanceof TlsServer)) throw new Error('Only a TLS server has a certificate');
  source.onChange((pair) => {
    // The ticket keys stay: tickets remain valid, and all workers of a machine share them, because
    // Node hands on those of the first worker.
    server.setSecureContext({ ...contextOptions(pair), ticketKeys: server.getTicketKeys() });
  });
};
