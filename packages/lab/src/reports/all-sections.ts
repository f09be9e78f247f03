/**
 * All that a report says of a result, in order. Markdown and HTML are two ways of showing it.
 * @module
 */
import type { RunResult } from '../results/result.ts';
import type { Section, SectionMaker } from './section.ts';
import { baselineSection } from './sections/baseline.ts';
import { bottleneckSection, scoreSection } from './sections/bottleneck.ts';
import { criteriaSection, validitySection } from './sections/criteria.ts';
import { furtherSections } from './sections/further.ts';
import { guardSection } from './sections/guards.ts';
import { faultSections } from './sections/outage.ts';
import { errorSection, windowSection } from './sections/requests.ts';
import { consistencySection, revocationSection } from './sections/revocation.ts';

const makers: readonly SectionMaker[] = [
  faultSections,
  furtherSections,
  windowSection,
  errorSection,
  baselineSection,
  bottleneckSection,
  criteriaSection,
  consistencySection,
  revocationSection,
  guardSection,
  validitySection,
  scoreSection,
];

/** The sections that this result has. */
export const sectionsOf = (result: RunResult): readonly Section[] => makers.flatMap((make) => make(result));
