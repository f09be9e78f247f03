/**
 * Adds to the routes of a listener those that describe them: the page at `/`, and the documentation
 * of the API.
 * @module
 */
import { readFileSync } from 'node:fs';
import { homeRoute } from '../../features/docs/home-route.ts';
import { docsRoutes } from '../../features/docs/routes.ts';
import type { Route } from '../../features/route.ts';
import { describeApi } from './describe-api.ts';

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
};

/** How a listener describes itself. */
export interface DescriptionOptions {
  /** Whether it serves the documentation of the API. */
  readonly hasDocs: boolean;
  /** Where clients reach the service; absent for a listener that is not for them. */
  readonly publicUrl: string | undefined;
}

/** The routes, then those of their description, which describes itself too. */
export const describedRoutes = (
  routes: readonly Route[],
  { hasDocs, publicUrl }: DescriptionOptions,
): readonly Route[] => {
  // A port that is still to be chosen leads no client anywhere.
  const urls = publicUrl === undefined || new URL(publicUrl).port === '0' ? [] : [publicUrl.replace(/\/$/, '')];
  const known: readonly Route[] = [
    ...routes,
    ...(hasDocs ? docsRoutes(() => describeApi(all, { version, urls })) : []),
  ];
  const all = [...known, homeRoute(known, version)];
  return all;
};
