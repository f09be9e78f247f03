/**
 * A reader of the text format of Prometheus that takes nothing for granted.
 * @module
 */
import assert from 'node:assert/strict';
import { get } from './client.ts';
import { operateUrlOf } from './operate-url.ts';
import type { Service } from './service.ts';

const sample =
  /^([a-z_]+(?:\{[a-z]+="[^"\\\n]*"(?:,[a-z]+="[^"\\\n]*")*\})?) (-?\d+(?:\.\d+)?(?:e[+-]\d+)?|[+-]Inf|NaN)$/;

/** Samples of a page by series, such as `catalytic_current{worker="1"}`. Every line must be valid, and each series must occur once. */
export const readMetrics = (page: string): ReadonlyMap<string, number> => {
  const series = new Map<string, number>();
  const families = new Set<string>();
  let family = '';
  assert.ok(page.endsWith('\n'), 'the last line ends');
  for (const line of page.split('\n')) {
    if (line === '' || /^# HELP [a-z_]+ \S.*$/.test(line)) continue;
    const [, name] = /^# TYPE ([a-z_]+) (?:counter|gauge|histogram)$/.exec(line) ?? [];
    if (name !== undefined) {
      assert.ok(!families.has(name), `${name} is there twice`);
      families.add(name);
      family = name;
      continue;
    }
    const [, key = '', value = ''] = sample.exec(line) ?? [];
    assert.notEqual(key, '', `not a sample: ${line}`);
    assert.ok(key.startsWith(family), `${key} does not stand under its type`);
    assert.ok(!series.has(key), `${key} is there twice`);
    series.set(key, Number(value.replace('Inf', 'Infinity')));
  }
  return series;
};

/** Figures of a service by series, without the label of its one worker; 0 for those that it does not have. */
export const metricsOf = async (service: Service): Promise<(series: string) => number> => {
  const page = readMetrics((await get(`${operateUrlOf(service)}/metrics`)).text);
  return (series) => page.get(series.replace('}', ',worker="1"}')) ?? page.get(`${series}{worker="1"}`) ?? 0;
};
