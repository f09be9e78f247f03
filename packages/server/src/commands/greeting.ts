/**
 * What a start says on standard output: where the service answers, and what to try next.
 * @module
 */
import { resolve } from 'node:path';
import type { ServiceAddress } from '../cluster/messages.ts';
import { isAnyAddress, urlHost } from '../config/addresses.ts';
import type { Config } from '../config/options.ts';
import { counted } from './counted.ts';

/** Where the load lab looks for its key, unless an option of it names another file. */
const usualLabKeyPath = 'data/lab.key';

/**
 * A URL that can be asked from this machine: a service on every address answers on loopback too,
 * but its certificate names the issuer.
 */
const reachableUrl = (url: string, host: string, { issuer, tlsCertFile }: Config): string => {
  if (!isAnyAddress(host)) return url;
  return tlsCertFile === undefined
    ? url.replace(urlHost(host), host === '::' ? '[::1]' : '127.0.0.1')
    : issuer.replace(/\/$/, '');
};

const labCommand = (url: string, operateUrl: string, labKeyPath: string): string => {
  const words = [`npm run lab -- run auth --users 50 --target ${url}`];
  if (operateUrl !== url) words.push(`--operate-target ${operateUrl}`);
  if (resolve(labKeyPath) !== resolve(usualLabKeyPath)) words.push(`--admin-key-file ${resolve(labKeyPath)}`);
  return words.join(' ');
};

/** The greeting, whose words `serves on URL` scripts wait for. */
export const greeting = (config: Config, { url, operateUrl, labKeyPath }: ServiceAddress): string => {
  const { profile, dataDir, workers, host, docs } = config;
  const asked = reachableUrl(url, host, config);
  const askedByOperators = operateUrl === url ? asked : operateUrl.replace(/\/\/(0\.0\.0\.0|\[::\])/, '//127.0.0.1');
  return [
    '',
    `  Catalytic serves on ${url}`,
    operateUrl === url
      ? '  for development     /metrics and /admin answer here too: set ISSUER before a proxy or clients elsewhere lead here'
      : `  for operators       ${operateUrl}`,
    ...(docs === '0' ? [] : [`  API to read and try ${asked}/docs`]),
    profile.commitsToDataFolder
      ? `  data folder         ${resolve(dataDir)}`
      : `  database            PostgreSQL, ${counted(workers, 'worker')}`,
    ...(labKeyPath === undefined
      ? []
      : [
          `  for the load lab    the tenant "lab", and a key to it in ${resolve(labKeyPath)}; LAB=0 makes neither of them`,
        ]),
    '',
    '  Next, in another terminal:',
    `    curl -s ${asked}/auth/register -H 'content-type: application/json' -d '{"email":"alan@example.com","password":"imitation game no 1"}'`,
    ...(labKeyPath === undefined ? [] : [`    ${labCommand(asked, askedByOperators, labKeyPath)}`]),
    '  Protect an API of yours: docs/guides/protect-an-api.md',
    '',
    '',
  ].join('\n');
};
