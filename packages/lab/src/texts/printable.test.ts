import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mapTexts, markdownText, printable, printableLines } from './printable.ts';

test('what moves a cursor, turns the direction or has no width is shown as an escape', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['\u001b[31mred\u001b]0;title\u0007', '\\x1b[31mred\\x1b]0;title\\x07'],
    ['one\r\ntwo\ttabbed', 'one\\r\\ntwo\\ttabbed'],
    ['\u009b31m\u007f', '\\x9b31m\\x7f'],
    ['abc\u202etxt.exe\u2066', 'abc\\u202etxt.exe\\u2066'],
    ['pay\u200bpal\ufeff\u00ad', 'pay\\u200bpal\\ufeff\\xad'],
    ['tag\u{e0041}', 'tag\\u{e0041}'],
    ['half \ud83d', 'half \\ud83d'],
    ['line\u2028paragraph\u2029', 'line\\u2028paragraph\\u2029'],
    ['zażółć 🎉 日本 – „ä“', 'zażółć 🎉 日本 – „ä“'],
  ];
  for (const [text, shown] of cases) assert.equal(printable(text), shown);
});

test('text is bounded and no character is halved', () => {
  assert.equal(printable('x'.repeat(5000)).length, 1001);
  assert.equal(printable('abc🎉', 4), 'abc…');
  assert.equal(printableLines('a\n'.repeat(1000)).split('\n').length, 201);
  assert.equal(printableLines('one\u001b\r\ntwo'), 'one\\x1b\ntwo');
});

test('in Markdown it is neither markup, nor a link, nor the end of a cell', () => {
  assert.equal(
    markdownText('<img src=x>|[a](http://b)`c`\\\n# d'),
    '&lt;img src=x>&#124;&#91;a&#93;(http://b)&#96;c&#96;&#92;\\n# d',
  );
});

test('all texts of a value are shown in one way, those of its keys, too', () => {
  const value = { a: ['\u001b', { '\u0007': '\u0000' }], n: 1, list: [1, 2], none: null };
  assert.deepEqual(mapTexts(value, printable), { a: ['\\x1b', { '\\x07': '\\x00' }], n: 1, list: [1, 2], none: null });
});
