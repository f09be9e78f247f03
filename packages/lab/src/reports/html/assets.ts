/**
 * The parts that a report carries so that it loads nothing: the style sheet, uPlot and our scripts;
 * and the policy by which the browser runs only these.
 * @module
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { type Markup, trusted } from './markup.ts';

const { resolve } = createRequire(import.meta.url);
const own = (name: string): string => readFileSync(fileURLToPath(new URL(`../page/${name}`, import.meta.url)), 'utf8');
const library = (path: string): string => readFileSync(resolve(`uplot/dist/${path}`), 'utf8').trim();

/** In the page our modules are scripts one after the other, which see each other's names. */
const asScript = (module: string): string =>
  module.replace(/^import [^;]+;\n/gm, '').replace(/^export (?=const )/gm, '');

/** One block, so that its names cannot collide with those of the page. */
const scripts = (): readonly string[] => [
  library('uPlot.iife.min.js'),
  `'use strict';{\n${['run-data.js', 'charts.js', 'chart-list.js', 'page.js'].map((name) => asScript(own(name))).join('\n')}}`,
];

const sourceOf = (content: string): string => `'sha256-${createHash('sha256').update(content).digest('base64')}'`;

/** Parts of the page's head and the end of its body. */
export interface Assets {
  /** The policy (Content Security Policy Level 3) and the style sheet. */
  readonly head: Markup;
  readonly scripts: Markup;
}

/** Reads them. */
export const readAssets = (): Assets => {
  const style = `${library('uPlot.min.css')}\n${own('style.css')}`;
  const code = scripts();
  const policy = `default-src 'none'; script-src ${code.map(sourceOf).join(' ')}; style-src ${sourceOf(style)}; base-uri 'none'; form-action 'none'`;
  return {
    head: trusted(`<meta http-equiv="Content-Security-Policy" content="${policy}">\n<style>${style}</style>`),
    scripts: trusted(code.map((text) => `<script>${text}</script>`).join('\n')),
  };
};
