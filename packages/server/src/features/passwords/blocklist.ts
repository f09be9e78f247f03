/**
 * Passwords that attackers try first, compared whole (NIST SP 800-63B-4 section 3.1.1.2).
 *
 * Public lists of common passwords hold almost nothing of 15 characters or more, so most of the
 * list is generated: what people make of short favourites when they are asked for a long password.
 * @module
 */

const favourites = new Set([
  'password',
  'passw0rd',
  'p@ssword',
  'p@ssw0rd',
  'passwort',
  'motdepasse',
  'contrasena',
  'senha',
  'parola',
  'geheim',
  'secret',
  'qwerty',
  'qwertz',
  'azerty',
  'qwertyuiop',
  'asdfgh',
  'asdfghjkl',
  'zxcvbnm',
  '1q2w3e4r',
  '1qaz2wsx',
  'qazwsx',
  'abc123',
  'a1b2c3',
  'admin',
  'administrator',
  'root',
  'user',
  'login',
  'guest',
  'welcome',
  'letmein',
  'changeme',
  'default',
  'master',
  'test',
  'testing',
  'iloveyou',
  'monkey',
  'dragon',
  'sunshine',
  'princess',
  'football',
  'baseball',
  'superman',
  'batman',
  'shadow',
  'michael',
  'jordan',
  'computer',
  'internet',
  'trustno1',
  'whatever',
  'starwars',
  'pokemon',
  'liverpool',
  'chocolate',
  'butterfly',
  'catalytic',
]);

const known = new Set([
  'qwertyuiopasdfghjkl',
  'qwertyuiopasdfg',
  '1q2w3e4r5t6y7u8i',
  '1q2w3e4r5t6y7u8i9o0p',
  '1qaz2wsx3edc4rfv',
  '1qaz2wsx3edc4rfv5tgb',
  'zaq12wsxcde34rfv',
  'thisisapassword',
  'thisismypassword',
  'iloveyouforever',
  'correcthorsebatterystaple',
  'trustno1trustno1',
  'correct horse battery staple',
  'mypasswordispassword',
  'onetwothreefour',
  'abcdefghijklmnopqrstuvwxyz',
  'nevergonnagiveyouup',
]);

const walks = [
  '0123456789',
  '1234567890',
  'abcdefghijklmnopqrstuvwxyz',
  'qwertyuiopasdfghjklzxcvbnm',
  'qwertzuiopasdfghjklyxcvbnm',
  'azertyuiopqsdfghjklmwxcvbn',
];

/**
 * Length of the shortest unit that, repeated, spells the text; the text's own length when there is
 * none.
 */
const period = (text: string): number => {
  for (let length = 1; length <= text.length / 2; length++)
    if (text.startsWith(text.slice(length)) && text.slice(length) === text.slice(0, text.length - length))
      return length;
  return text.length;
};

const isWalk = (text: string): boolean =>
  walks.some((walk) => {
    const circle = walk.repeat(Math.ceil(text.length / walk.length) + 1);
    return circle.includes(text) || [...circle].reverse().join('').includes(text);
  });

/** Digits and signs that people put around a favourite to make it longer. */
const stripDecoration = (text: string): string => text.replace(/^[\d\W_]+|[\d\W_]+$/g, '');

/**
 * Why the password is blocked, as the end of a sentence that starts with "This password", or
 * `undefined`.
 * @param email the account's address: neither it nor its local part, decorated or repeated, is a
 *   password
 */
export const blockedReason = (password: string, email: string): string | undefined => {
  const text = password.toLowerCase();
  if (known.has(text)) return 'is on the lists of common passwords';
  const unit = text.slice(0, period(text));
  if (unit.length <= 4) return 'repeats a few characters';
  if (isWalk(text) || isWalk(unit)) return 'follows the order of the keyboard, the alphabet or the digits';
  const address = email.toLowerCase();
  const localPart = address.split('@')[0] ?? address;
  const core = stripDecoration(text);
  const coreUnit = core.slice(0, period(core));
  if ([text, unit, core, coreUnit].some((part) => part === address || part === localPart))
    return 'is made of the email address';
  if ([unit, core, coreUnit].some((part) => favourites.has(part) || known.has(part)))
    return 'is a common password made longer';
  return undefined;
};
