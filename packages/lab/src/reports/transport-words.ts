/**
 * Connections in words, for the summary and the reports.
 * @module
 */

import type { TransportResult } from '../results/transport-result.ts';
import type { TimesResult } from '../results/window-result.ts';
import { ms, number } from './tables.ts';

/** Events of connections, each with its count, where it is above zero. */
const remarks = (transport: TransportResult): readonly (readonly [what: string, times: number])[] =>
  [
    ['requests repeated, because the target closed an idle connection as they came', transport.repeated_requests],
    ['bodies kept only in part, being longer than 16 MiB', transport.truncated_bodies],
    ['answers with bytes behind them', transport.surplus_answers],
  ].filter((remark): remark is [string, number] => Number(remark[1]) > 0);

const spans = ({
  connect,
  tls_handshake,
}: TransportResult): readonly (readonly [what: string, times: TimesResult])[] => [
  ['TCP connect', connect],
  ...(tls_handshake === null ? [] : [['TLS handshake', tls_handshake] as const]),
];

/** Lines of the summary. */
export const transportLines = (transport: TransportResult | null): readonly string[] => {
  if (transport === null) return [];
  const times = spans(transport).map(
    ([what, { percentiles_ms: at, max_ms }]) =>
      `${what} p50 ${ms(at['50'])}  p95 ${ms(at['95'])}  p99 ${ms(at['99'])}  max ${ms(max_ms)} ms`,
  );
  return [
    `  connections        ${String(transport.connect.count).padStart(5)} opened, not in the latencies: ${times.join(', ')}`,
    ...(transport.is_certificate_checked === false
      ? ['  ! the certificate of the target was not checked (--insecure)']
      : []),
    ...remarks(transport).map(([what, count]) => `  ! ${what}: ${count}`),
  ];
};

/** Rows for the reports: kind, count, and times in milliseconds. */
export const transportRows = (transport: TransportResult | null): readonly (readonly string[])[] =>
  transport === null
    ? []
    : [
        ...spans(transport).map(([what, { count, mean_ms, max_ms, percentiles_ms: at }]) => [
          what,
          number(count),
          ...[mean_ms, at['50'], at['95'], at['99'], max_ms].map((value) => (count === 0 ? '–' : ms(value))),
        ]),
        ...(transport.is_certificate_checked === false
          ? [['the certificate of the target was not checked (--insecure)', ...Array<string>(6).fill('–')]]
          : []),
        ...remarks(transport).map(([what, count]) => [what, number(count), ...Array<string>(5).fill('–')]),
      ];
