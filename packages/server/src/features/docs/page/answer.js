/**
 * Shows an answer: status, time, body, headers, and the meaning of a refusal.
 * @module
 */
import { copyButton, highlighted, make } from './dom.js';

const parsed = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const kindOf = (status) => (status >= 200 && status < 300 ? 'good' : status >= 500 || status === 0 ? 'bad' : 'refused');

const sizeOf = (text) => {
  const bytes = new TextEncoder().encode(text).length;
  return bytes < 1024 ? `${bytes} B` : `${(bytes / 1024).toFixed(1)} kB`;
};

/** The place on the page that explains a code. */
export const codeAnchor = (code) => `error-${code}`;

const explanation = ({ code, title, retryable }, headers) => {
  const wait = new Map(headers).get('retry-after');
  const retry = retryable
    ? `The same request may succeed later${wait === undefined ? '.' : `: wait ${wait} s.`}`
    : 'The same request will be refused again.';
  return make('p.note', {}, make('a', { href: `#${codeAnchor(code)}` }, code), ` ${title}. ${retry}`);
};

/** A body, pretty when it is JSON. */
export const bodyOf = (value, linkOf) => make('pre', { tabindex: 0 }, make('code', {}, ...highlighted(value, linkOf)));

/**
 * Shows an answer.
 * @param answer as it was received
 * @param {ReadonlyMap} codes the error table, by code
 * @param {Node[]} notes on what the page has done with the answer
 */
export const answerOf = ({ status, words, tookMs, headers, text }, codes, notes) => {
  const body = parsed(text);
  const refusal = codes.get(body?.code);
  const linkOf = (word) => (codes.has(word) ? `#${codeAnchor(word)}` : undefined);
  return make(
    'div.answer',
    {},
    make(
      'div.panel-head',
      {},
      make(`strong.status.${kindOf(status)}`, {}, status === 0 ? words : `${status} ${words}`),
      make('span', {}, `${tookMs} ms`),
      make('span', {}, sizeOf(text)),
      copyButton(() => text, 'Copy body'),
    ),
    refusal !== undefined && explanation(refusal, headers),
    ...notes,
    text !== '' && (body === undefined ? make('pre', { tabindex: 0 }, make('code', {}, text)) : bodyOf(body, linkOf)),
    headers.length > 0 &&
      make(
        'details',
        {},
        make('summary', {}, `${headers.length} headers`),
        make('dl', {}, ...headers.flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, value)])),
      ),
  );
};
