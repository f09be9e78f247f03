/**
 * Whether settings open more than their owner may mean. The service starts in spite of them.
 * @module
 */
import { isAnyAddress, wideRanges } from '../config/addresses.ts';
import type { Config } from '../config/options.ts';
import type { Finding } from './finding.ts';

/** A finding for each setting that opens the service to addresses which are hardly all meant. */
export const checkExposure = ({ trustedProxies, operateHost }: Config): readonly Finding[] => {
  const findings: Finding[] = [];
  const wide = wideRanges(trustedProxies);
  if (wide.length > 0)
    findings.push({
      level: 'warning',
      text: `TRUSTED_PROXIES=${wide.join(',')} trusts every address: anybody may connect in plain HTTP, and pass for a proxy`,
      remedy: 'name the addresses of the proxies, or their network',
    });
  if (operateHost !== undefined && isAnyAddress(operateHost))
    findings.push({
      level: 'warning',
      text: `OPERATE_HOST=${operateHost} opens /metrics, without a key, and /admin to every network of this machine, in plain HTTP`,
      remedy:
        'set it to a loopback or private address, or let a firewall or network policy close the port to all but scrapers and operators',
    });
  return findings;
};
