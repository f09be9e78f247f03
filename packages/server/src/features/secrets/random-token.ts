/**
 * Opaque bearer secrets: refresh tokens and admin keys. Only their SHA-256 is ever stored: 256
 * random bits need no slow hash.
 * @module
 */
import { hash, randomBytes } from 'node:crypto';

const secretBytes = 32;

/**
 * A new opaque token. The prefix names its purpose, so that people and scanners recognise a leaked
 * token.
 */
export const randomToken = (prefix: string): string => `${prefix}${randomBytes(secretBytes).toString('base64url')}`;

/** SHA-256 of a token, as stored. */
export const tokenHash = (token: string): Buffer => hash('sha256', token, 'buffer');
