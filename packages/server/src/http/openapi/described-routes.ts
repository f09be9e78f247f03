/**
 * Adds to the routes of a listener those that describe them.
 * @module
 */
import { readFileSync } from 'node:fs';
import { docsRoutes } from '../../features/docs/routes.ts';
import type { Route } from '../../features/route.ts';
import { describeApi } from './describe-api.ts';

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
};

/**
 * The routes, then those of their description, which describes itself too.
 * @param publicUrl where clients reach the service; absent for a listener that is not for them
 */
export const describedRoutes = (routes: readonly Route[], publicUrl: string | undefined): readonly Route[] => {
  // A port that is still to be chosen is no place to send anybody to.
  const urls = publicUrl === undefined || new URL(publicUrl).port === '0' ? [] : [publicUrl.replace(/\/$/, '')];
  const all: readonly Route[] = [...routes, ...docsRoutes(() => describeApi(all, { version, urls }))];
  return all;
};
