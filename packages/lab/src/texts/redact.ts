/**
 * Removes secrets from URLs, command lines and the output of commands before they are shown or
 * written.
 * @module
 */

const redacted = 'REDACTED';
/**
 * A shorter value is not looked for in other text: it would be found in words that are none of it.
 */
const secretCharsMin = 4;

/** A word of a command line, quoted or not. */
const word = String.raw`"[^"]*"|'[^']*'|[^\s"'&|;]+`;
/**
 * Parts of the names of options, variables and fields that hold secrets. The path of a file with a
 * secret is none.
 */
const named = String.raw`[\w-]*(?:password|passwd|passphrase|secret|token|(?:api|admin|master|access|private)[_-]?key|credential|auth(?![a-z]))(?!\w*-file|[\w-]*_file)[\w-]*`;

/** Each matches the text before a secret, and the secret. */
const places: readonly RegExp[] = [
  // scheme://user:password@host, also where the scheme is misspelt.
  /(?<before>[a-z][\w+.-]*:\/{1,2})(?<secret>[^\s/?#'"]*)(?=@)/gi,
  /(?<before>(?:^|[\s'"=]))(?<secret>[^\s/:@'"=]+:[^\s/@'"]+)(?=@)/g,
  // The values of a query, each.
  /(?<before>(?:\?|&)[^\s=&#'"]*=)(?<secret>[^\s&#'"]+)/g,
  // Authorization: Bearer …
  /(?<before>\b(?:proxy-)?authorization["']?\s*:\s*(?:(?:bearer|basic|token)\s+)?)(?<secret>[^\s"']+)/gi,
  new RegExp(String.raw`(?<before>(?:^|[\s'"])--?${named}(?:=|\s+))(?<secret>${word})`, 'gi'),
  new RegExp(String.raw`(?<before>\b${named}["']?\s*[=:]\s*)(?<secret>${word})`, 'gi'),
  // redis-cli -a, mysql -p, sshpass -p, curl -u
  new RegExp(String.raw`(?<before>\bredis-cli\b[^|;&]*?\s-a\s+)(?<secret>${word})`, 'g'),
  new RegExp(String.raw`(?<before>\b(?:mysql|mariadb)\w*\b[^|;&]*?\s-p)(?<secret>${word})`, 'g'),
  new RegExp(String.raw`(?<before>\bsshpass\s+-p\s*)(?<secret>${word})`, 'g'),
  new RegExp(String.raw`(?<before>\bcurl\b[^|;&]*?\s(?:-u|--user)\s*)(?<secret>${word})`, 'g'),
];

const bare = (secret: string): string => secret.replace(/^["'](.*)["']$/s, '$1');

/** The secrets that a text names as such. */
export const secretsIn = (text: string): readonly string[] => {
  const found = places.flatMap((place) =>
    [...text.matchAll(place)].flatMap(({ groups }) => {
      const secret = bare(groups?.['secret'] ?? '');
      // Of "user:password" the password alone may be said elsewhere.
      return [secret, ...(secret.includes(':') ? [secret.slice(secret.indexOf(':') + 1)] : [])];
    }),
  );
  return [...new Set(found)].filter((secret) => secret.length >= secretCharsMin && secret !== redacted);
};

/**
 * Replaces secrets by a mark.
 * @param secrets known from elsewhere, replaced wherever they stand
 */
export const redact = (text: string, secrets: readonly string[] = []): string => {
  let shown = text;
  for (const secret of secrets.toSorted((a, b) => b.length - a.length))
    if (secret.length >= secretCharsMin) shown = shown.replaceAll(secret, redacted);
  for (const place of places) shown = shown.replace(place, `$<before>${redacted}`);
  return shown;
};

/** Options of the lab whose next word is a secret. */
const secretOptions: ReadonlySet<string> = new Set(['--password', '--admin-key']);

const isSecretAt = (words: readonly string[], index: number): boolean => secretOptions.has(words[index - 1] ?? '');

/** The words of a command line, without their secrets. */
export const redactWords = (words: readonly string[]): readonly string[] =>
  words.map((each, index) => (isSecretAt(words, index) ? redacted : redact(each)));

/** The secrets of a command line. */
export const secretsOfWords = (words: readonly string[]): readonly string[] =>
  words.flatMap((each, index) => (isSecretAt(words, index) ? [each] : secretsIn(each)));
