/**
 * The form of an email address, when two addresses are one mailbox, and why a new account is
 * refused.
 * @module
 */
import { domainToASCII, domainToUnicode } from 'node:url';
import type { ErrorCode } from '@catalytic/protocol/errors';
import { passwordRefusals } from '../passwords/rules.ts';

/** RFC 5321 section 4.5.3.1.3: a path is at most 256 characters, two of them the angle brackets. */
export const emailCharactersMax = 254;

/** RFC 5321 section 4.5.3.1.1. */
const localCharactersMax = 64;

/** Text without spaces, control characters and invisible characters. */
const visible = /^[^\s\p{C}\p{Default_Ignorable_Code_Point}\u2800]+$/u;

/**
 * Characters that a local part has only in quotes, as comments, or around a path (RFC 5321 section
 * 4.1.2): `"ada"@example.com` would be a second spelling of `ada@example.com`.
 */
const quoting = /["\\(),:;<>[\]]/;

/** RFC 1035 section 2.3.4. */
const labelCharactersMax = 63;

/** Letters, digits, hyphens, underscores, dots, and whatever IDNA may map to them. */
const domainPattern = /^(?:[\w.-]|\P{ASCII})+$/u;

/** Whether a text is the same in every spelling of IDNA: nothing in it is encoded, or would be. */
const isPlain = (text: string): boolean => /^\p{ASCII}*$/u.test(text) && !/xn--/i.test(text);

/**
 * A domain as the DNS has it (RFC 5891 section 4; Unicode TS 46, as browsers apply it to
 * `<input type=email>`): `BÜCHER.example` and `xn--bcher-kva.example` are one domain.
 * @returns `undefined` if the text is not a domain name
 */
const domainKey = (domain: string): string | undefined => {
  if (!domainPattern.test(domain)) return undefined;
  const lower = domain.toLowerCase();
  // To Unicode first, which shows an encoded label that cannot be decoded: it stays as it is.
  const unicode = isPlain(lower) ? lower : domainToUnicode(lower);
  if (unicode.includes('xn--')) return undefined;
  const name = isPlain(unicode) ? unicode : domainToASCII(unicode);
  return name.split('.').every((label) => label !== '' && label.length <= labelCharactersMax) ? name : undefined;
};

/**
 * The lower-case form that a letter shares with all others of the same upper-case form, such as the
 * two small sigmas, or `ſ` and `s` (Unicode section 3.13, simple case folding). A letter whose upper-case form is several letters (`ß`) keeps
 * its own, and so does the dotless `ı`, which only Turkish takes for the same letter as `i`.
 */
const foldLetter = (letter: string): string => {
  const upper = letter.toUpperCase();
  return letter === 'ı' || [...upper].length > 1 ? letter.toLowerCase() : upper.toLowerCase();
};

/**
 * Folds what differs in case or in how accents are composed. Folding can leave a composed letter in
 * parts, so it is normalised again.
 */
const fold = (text: string): string => Array.from(text.normalize('NFC'), foldLetter).join('').normalize('NFC');

/** The text before the last @, and that after it. */
const partsOf = (email: string): readonly [local: string, domain: string] => {
  const at = email.lastIndexOf('@');
  return [email.slice(0, Math.max(0, at)), email.slice(at + 1)];
};

/**
 * Whether a new account may have this address. Deliberately weak, because only a message to an
 * address shows whether it exists: visible text, one @ with a local part and a domain around it, in
 * no second spelling.
 */
export const isEmail = (email: string): boolean => {
  const [local, domain] = partsOf(email);
  return (
    email.length <= emailCharactersMax &&
    visible.test(email) &&
    local !== '' &&
    local.length <= localCharactersMax &&
    !local.includes('@') &&
    !quoting.test(local) &&
    domainKey(domain) !== undefined
  );
};

/**
 * The key of a mailbox, unique per tenant: without regard to case, to how accents are composed, and
 * to the spelling of an international domain.
 */
export const emailKey = (email: string): string => {
  if (isPlain(email)) return email.toLowerCase();
  const [local, domain] = partsOf(email);
  return `${fold(local)}@${domainKey(domain) ?? fold(domain)}`;
};

/**
 * Every key under which the account of a mailbox may stand, in the order in which they are tried.
 * Versions up to 0.1 stored the address in lower case, with the domain in the spelling that was
 * typed; those accounts keep their keys. The spelling that was typed comes first: where two such
 * accounts have one mailbox, each is found by its own.
 */
export const emailKeys = (email: string): readonly [string, ...string[]] => {
  const typed = email.normalize('NFC').toLowerCase();
  if (isPlain(typed)) return [typed];
  const [local, domain] = partsOf(emailKey(email));
  const keys = new Set([`${local}@${domain}`, `${local}@${domainToUnicode(domain)}`]);
  keys.delete(typed);
  return [typed, ...keys];
};

/** What an account about to be stored keeps of an address. */
export const emailFields = (
  email: string,
): { readonly email: string; readonly emailKey: string; readonly formerKeys: readonly string[] } => {
  const key = emailKey(email);
  return { email, emailKey: key, formerKeys: emailKeys(email).filter((former) => former !== key) };
};

/** What stands in place of the email key of a deleted account: unique, and no email address. */
export const deletedEmailKey = (id: string): string => `deleted ${id}`;

/** Codes that may refuse a new account, by registration and by an administrator alike. */
export const newAccountRefusals = [
  'email_invalid',
  'email_taken',
  ...passwordRefusals,
  'hashing_busy',
] as const satisfies readonly ErrorCode[];
