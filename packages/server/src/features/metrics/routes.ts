/**
 * The route of the metrics.
 * @module
 */
import { paths } from '@catalytic/protocol/paths';
import { type Route, route } from '../route.ts';
import { Type } from '../schema.ts';

/** The source of the metrics. */
export interface MetricsParts {
  /** Writes the page; it holds no secret and nothing that a client sent. */
  readonly scrape: () => Promise<string>;
  readonly contentType: string;
}

/** The routes. */
export const metricsRoutes = ({ scrape, contentType }: MetricsParts): readonly Route[] => [
  route({
    method: 'GET',
    path: paths.metrics,
    summary: 'Metrics of every worker of this machine, in the text format of Prometheus',
    access: { kind: 'public' },
    listener: 'operate',
    textType: 'text/plain',
    answers: { 200: Type.String({ description: 'The metrics.' }) },
    handle: async () => ({ status: 200, body: await scrape(), contentType }),
  }),
];
