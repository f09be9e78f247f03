import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prefersJson } from './rules.ts';

const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';

test('a client gets JSON exactly if it prefers JSON to a page', () => {
  const cases: readonly (readonly [accept: string | undefined, isJson: boolean])[] = [
    [undefined, false],
    ['', false],
    ['*/*', false],
    [browser, false],
    ['text/html', false],
    ['application/json', true],
    ['Application/JSON; charset=utf-8', true],
    ['application/json, text/plain, */*', false],
    ['application/json, text/plain, */*;q=0.5', true],
    ['application/*', true],
    ['text/html, application/json', false],
    ['text/html;q=0.5, application/json', true],
    ['text/html;q=0.9, application/json;q=0.1', false],
    ['application/json;q=0', false],
    ['application/json;q=x', false],
    ['*/*, text/html;q=0', true],
    ['image/png', false],
  ];
  for (const [accept, isJson] of cases) assert.equal(prefersJson(accept), isJson, String(accept));
});
