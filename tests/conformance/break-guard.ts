/**
 * Loaded before an API behind our guard: plants the fault of `broken-guards.ts` whose rule BROKEN_GUARD names, as the file is read.
 * @module
 */
import { registerHooks } from 'node:module';
import { brokenGuards } from './broken-guards.ts';

const rule = process.env['BROKEN_GUARD'];
const fault = brokenGuards.find((broken) => broken.rule === rule);
if (fault === undefined) throw new Error(`There is no broken guard ${rule}`);
const { file, from, to } = fault;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith(`/packages/guard/src/${file}`)) return loaded;
    const text = String(loaded.source);
    if (text.split(from).length !== 2)
      throw new Error(`Cannot plant the fault ${rule}: ${file} does not hold its text once`);
    return { ...loaded, source: text.replace(from, () => to) };
  },
});
