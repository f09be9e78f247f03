/**
 * Whether a request has a body.
 * @module
 */
import type { IncomingMessage } from 'node:http';

/** Whether a body follows the head, by the fields that announce one (RFC 9112 section 6). */
export const announcesBody = ({ headers }: Pick<IncomingMessage, 'headers'>): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
