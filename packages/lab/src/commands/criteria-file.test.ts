import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { nameOf } from '../measures/criterion.ts';
import { parseCriteria, readCriteriaFile } from './criteria-file.ts';
import { jsonFault } from './json-place.ts';

const read = (text: string) => parseCriteria(text, 'limits.json');

test('a file of criteria is read by the names of the options, and single things by their own names', () => {
  const text = `{ "p50": 20, "failures": 0, "rejected": "none",
    "endpoints": { "GET /items/:id": { "p95": 100, "failures": null } },
    "checks": { "a list": { "failed": 0 } }, "counters": { "written": { "min": 10, "per-second-min": 1 } },
    "trends": { "length": { "p95": 20, "mean": 10, "min": 1 } } }`;
  assert.deepEqual(
    read(text).map((criterion) => [nameOf(criterion), criterion.limit]),
    [
      ['p50', 20],
      ['failures', 0],
      ['rejected', null],
      ['endpoint GET /items/:id: p95', 100],
      ['endpoint GET /items/:id: failures', null],
      ['check a list: failed', 0],
      ['counter written: min', 10],
      ['counter written: per-second-min', 1],
      ['trend length: p95', 20],
      ['trend length: mean', 10],
      ['trend length: min', 1],
    ],
  );
  assert.deepEqual(read('{}'), []);
});

test('what is wrong in it is said with its line, its column and what was meant', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['{ "p59": 20 }', /^limits\.json:1:3: there is no criterion "p59"; did you mean "p95"\?/],
    ['{\n  "p95": 1,\n  "failure": 20 }', /^limits\.json:3:3: .*did you mean "failures"/],
    ['{ "p95": "20 ms" }', /"p95" is 20 ms: give a number of 0 or more, or none/],
    ['{ "p95": -1 }', /"p95" is -1/],
    ['{ "p95": 1e999 }', /"p95" is Infinity/],
    ['{ "p95": true }', /"p95" is boolean/],
    ['{ "failures": 100.5 }', /"failures" is 100.5: give a number from 0 to 100/],
    ['{ "checks": { "x": { "p95": 1 } } }', /no criterion "p95"; there are failed/],
    ['{ "checks": ["x"] }', /"checks" holds no object/],
    ['{\n "endpoints": { "/items": { "p95": 1 } } }', /:2:17: "\/items" is no endpoint: write method and path/],
    ['[1]', /it holds no object/],
    ['p95 = 20', /^limits\.json:1:1: it is no JSON/],
    ['{\n "p95": 85,\n}', /^limits\.json:3:1: it is no JSON/],
    ['{ "p95": 0x10 }', /^limits\.json:1:10: it is no JSON/],
    ['{ "p95": NaN }', /^limits\.json:1:10: it is no JSON/],
    ['{ "p95": 1', /^limits\.json:1:11: it is no JSON/],
  ];
  for (const [text, sentence] of wrong) assert.throws(() => read(text), { message: sentence }, text);
  assert.throws(
    () => readCriteriaFile('/nowhere/limits.json'),
    /--criteria \/nowhere\/limits\.json: cannot read it: ENOENT/,
  );
});

test('a text has a faulty place exactly when it is no JSON', () => {
  void fc.assert(
    fc.property(fc.json(), fc.nat(), fc.constantFrom('', ',', '}', '"', 'x', '1', ' ', ':'), (json, at, piece) => {
      assert.equal(jsonFault(json), undefined);
      const place = at % (json.length + 1);
      const text = json.slice(0, place) + piece + json.slice(place + (at % 2));
      let isJson = true;
      try {
        JSON.parse(text);
      } catch {
        isJson = false;
      }
      assert.equal(jsonFault(text) === undefined, isJson, text);
    }),
  );
});
