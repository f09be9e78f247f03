/**
 * The form of an email address, when two addresses are the same, and why a new account is refused.
 * @module
 */
import type { ErrorCode } from '@catalytic/protocol/errors';
import { passwordRefusals } from '../passwords/rules.ts';

/** RFC 5321 section 4.5.3.1.3: a path is at most 256 characters, two of them the angle brackets. */
export const emailCharactersMax = 254;

// Deliberately weak, because only a message to an address shows whether it exists. No spaces or
// control characters, one @ with text around it.
const emailPattern = /^[^\s@\p{C}]{1,64}@[^\s@\p{C}]{1,189}$/u;

/** Whether the text looks like an email address. */
export const isEmail = (text: string): boolean => text.length <= emailCharactersMax && emailPattern.test(text);

/**
 * The form in which emails are compared and unique per tenant: without regard to case and to how
 * accents are composed.
 */
export const emailKey = (email: string): string => email.normalize('NFC').toLowerCase();

/** Codes that may refuse a new account, by registration and by an administrator alike. */
export const newAccountRefusals = [
  'tenant_unknown',
  'tenant_suspended',
  'email_invalid',
  'email_taken',
  ...passwordRefusals,
  'hashing_busy',
] as const satisfies readonly ErrorCode[];
