/**
 * The verdicts in the format that build servers read (JUnit's XML, as Jenkins, GitLab and GitHub's
 * reporters take it).
 * @module
 */

import { remedyOf } from '../measures/validity.ts';
import { exitCodes, type RunResult } from '../results/result.ts';
import { exceptionsRule } from '../results/verdict.ts';
import { printable } from '../texts/printable.ts';
import { endingOf } from './ending.ts';
import { firstException } from './exception-text.ts';
import { limitOf, measuredOf, notJudgedOf } from './verdict-texts.ts';

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/**
 * Text of a quoted attribute, whatever a target said in it. Control characters and halves of pairs,
 * which XML 1.0 has no way to write (section 2.2), are shown as escapes; so two code points are
 * left that it refuses.
 */
const attribute = (text: string): string =>
  printable(text)
    .replace(/[\ufffe\uffff]/g, '\ufffd')
    .replace(/[&<>"]/g, (letter) => entities[letter] ?? '');

type Kind = 'passed' | 'failure' | 'error' | 'skipped';

interface Case {
  readonly group: 'criteria' | 'validity' | 'consistency' | 'target';
  readonly name: string;
  readonly kind: Kind;
  /** The measured value, or the reason why there is no verdict. */
  readonly message: string;
}

/** Criteria. Of a run that may not be believed none has passed or failed. */
const criteriaCases = (result: RunResult): readonly Case[] => {
  const { verdicts, exit_code } = result;
  const isDoubtful = exit_code === exitCodes.invalid || exit_code === exitCodes.unreachable;
  if (verdicts.length === 0)
    return [{ group: 'criteria', name: 'criteria', kind: 'skipped', message: notJudgedOf(result) }];
  return verdicts.map((each): Case => {
    const { criterion, verdict } = each;
    const message = `${measuredOf(each)}, ${limitOf(each)} is allowed`;
    const head = { group: 'criteria', name: criterion } as const;
    if (isDoubtful) return { ...head, kind: 'skipped', message: `the run may not be believed; ${message}` };
    if (verdict === 'not judged') return { ...head, kind: 'skipped', message: `not judged: ${measuredOf(each)}` };
    return { ...head, kind: verdict === 'failed' ? 'failure' : 'passed', message };
  });
};

const validityCases = (result: RunResult): readonly Case[] =>
  result.validity.map((each): Case => {
    const { rule, verdict, measured } = each;
    const found = rule === exceptionsRule ? `: ${firstException(result)}` : '';
    const remedy = verdict === 'broken' ? remedyOf(rule) : undefined;
    const message =
      measured === null
        ? 'not judged: it could not be measured'
        : `${measuredOf(each)}, ${limitOf(each)} is allowed${found}${remedy === undefined ? '' : `; ${remedy}`}`;
    return {
      group: 'validity',
      name: rule,
      kind: verdict === 'broken' ? 'error' : verdict === 'kept' ? 'passed' : 'skipped',
      message,
    };
  });

const otherCases = ({ consistency, exit_code }: RunResult): readonly Case[] => [
  {
    group: 'consistency',
    name: 'no revoked token is accepted',
    kind: consistency.violations === 0 ? 'passed' : 'failure',
    message: `${consistency.violations} violations, ${consistency.dead_checks} checks of dead tokens`,
  },
  ...(exit_code === exitCodes.unreachable
    ? [{ group: 'target', name: 'the target answers', kind: 'error', message: 'no request was answered' } as const]
    : []),
];

const caseXml = (suite: string, { group, name, kind, message }: Case): string => {
  const head = `  <testcase classname="${attribute(`${suite}.${group}`)}" name="${attribute(name)}" time="0"`;
  return kind === 'passed' ? `${head}/>` : `${head}><${kind} message="${attribute(message)}"/></testcase>`;
};

/** Writes the report: a test case for each criterion, each rule of validity, and consistency. */
export const junitReport = (result: RunResult): string => {
  const cases = [...criteriaCases(result), ...validityCases(result), ...otherCases(result)];
  const count = (kind: Kind): number => cases.filter((each) => each.kind === kind).length;
  const suite = `catalytic-lab.${result.scenario}`;
  const facts: Readonly<Record<string, string>> = {
    ending: endingOf(result),
    exit_code: String(result.exit_code),
    target: result.target,
    users: String(result.options.users),
    seed: result.options.seed,
  };
  const time = (result.whole.to_s - result.whole.from_s).toFixed(3);
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="${attribute(suite)}" tests="${cases.length}" failures="${count('failure')}" errors="${count('error')}" skipped="${count('skipped')}" time="${time}" timestamp="${attribute(result.started_at.replace(/\.\d+Z$/, ''))}">
  <properties>
${Object.entries(facts)
  .map(([name, value]) => `    <property name="${name}" value="${attribute(value)}"/>`)
  .join('\n')}
  </properties>
${cases.map((each) => caseXml(suite, each)).join('\n')}
</testsuite>
`;
};
