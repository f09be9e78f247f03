/**
 * Random requests that are hostile to a gateway: damaged names of identity headers, of lengths and codings, line ends, hops and paths.
 * @module
 */
import { forged } from './hostile-heads.ts';

/** Numbers in [0, 1). */
export type Random = () => number;

const identityNames = [
  'Catalytic-Subject',
  'catalytic_roles',
  'CATALYTIC-TENANT',
  'Catalytic_Session',
  'catalytic-scope',
];
const noise = [
  ' ',
  '\t',
  '\r',
  '\n',
  '\0',
  '_',
  '-',
  '.',
  ':',
  '\u000b',
  '\u0085',
  '\u00ff',
  '"',
  '\\',
  '\r\n ',
  '\n ',
];
const lineEnds = ['\n', '\r', '\r\r\n', '\n\r', '\r\n\r\n', '\0\r\n'];
const paths = ['/admin', '/x/../admin', '/notes?role=admin', '//admin', '/%2e/x', '*', 'http://h/x', '/a;b'];
const bodies = ['hello', '5\r\nhello\r\n0\r\n\r\n', `0\r\nCatalytic-Subject: ${forged}\r\n\r\n`, '0\r\n\r\n'];
const hidden = `GET /smuggled HTTP/1.1\r\nHost: x\r\nCatalytic-Subject: ${forged}\r\n\r\n`;

/** Draws requests, always the same for the same numbers. */
export const hostileRequests = (random: Random, token: string): (() => string) => {
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  /** Damages a text in two places at most. */
  const damaged = (text: string): string => {
    let damage = text;
    for (let left = Math.floor(random() * 3); left > 0; left--) {
      const at = Math.floor(random() * (damage.length + 1));
      const [before, after] = [damage.slice(0, at), damage.slice(at)];
      damage = before + pick([pick(noise) + after, after.slice(1), after.toUpperCase(), after.toLowerCase()]);
    }
    return damage;
  };
  const kinds: readonly (() => string)[] = [
    () => damaged(pick(identityNames)) + damaged(': ') + pick([forged, '', 'admin', '{http.request.uri}']),
    () =>
      `Connection: ${pick(['close', 'Upgrade', 'Authorization'])}${pick([',', ', ', '\t,'])}${damaged(pick(identityNames))}`,
    () => damaged('Transfer-Encoding') + damaged(': ') + damaged(pick(['chunked', 'identity', 'gzip, chunked'])),
    () => `${damaged('Content-Length')}: ${damaged(pick(['0', '5', '40', '']))}`,
    () => damaged('Authorization') + damaged(`: Bearer ${token}`),
    () => `Upgrade: ${damaged(pick(['websocket', 'h2c', 'TLS/1.0']))}`,
    () =>
      `${damaged(pick(['X-Original-URI', 'X-Forwarded-Uri', 'Host', 'Trailer', 'Expect']))}: ${pick(['/open', 'Catalytic-Subject', '100-continue'])}`,
  ];
  return () => {
    const path = random() < 0.8 ? '/notes' : damaged(pick(paths));
    const lines = [`${pick(['GET', 'POST', 'PUT', 'OPTIONS'])} ${path} HTTP/1.1`, 'Host: localhost'];
    if (random() < 0.8) lines.push(`Authorization: Bearer ${token}`);
    for (let left = 1 + Math.floor(random() * 4); left > 0; left--)
      // About half of all lines name an identity.
      lines.splice(1 + Math.floor(random() * lines.length), 0, (random() < 0.4 ? kinds[0] : pick(kinds))?.() ?? '');
    const head = lines.map((line) => line + (random() < 0.9 ? '\r\n' : pick(lineEnds))).join('');
    return `${head}\r\n${random() < 0.4 ? pick(bodies) : ''}${random() < 0.3 ? hidden : ''}`;
  };
};
