/**
 * Whether the configured certificate and key work, and for how long.
 * @module
 */
import { type Certificate, certificateFiles, readCertificate, validityText } from '../config/certificate.ts';
import type { Config } from '../config/options.ts';
import { ConfigError } from '../config/read-config.ts';
import { type Finding, ok } from './finding.ts';

const dayMs = 86_400_000;
/**
 * Automatic renewal happens long before; a certificate that lives for only a few days is renewed in
 * its last third.
 */
const daysLeftMin = 10;

const checkValidity = (certificate: Certificate, certFile: string, nowMs: number): Finding => {
  const { validFromMs, expiresMs } = certificate;
  const text = `The certificate in ${certFile} ${validityText(certificate, nowMs)}`;
  const remedy = 'renew it, and put the new files in place: a running service takes them within a minute';
  if (nowMs < validFromMs || nowMs > expiresMs) return { level: 'failure', text, remedy };
  const leftMin = Math.min(daysLeftMin * dayMs, (expiresMs - validFromMs) / 3);
  return expiresMs - nowMs < leftMin ? { level: 'warning', text, remedy } : ok(text);
};

const checkNames = ({ isFor, names }: Certificate, certFile: string, issuer: string): Finding => {
  const { hostname } = new URL(issuer);
  const text = `The certificate in ${certFile} is for ${names.join(', ')}`;
  if (isFor(hostname)) return ok(text);
  return {
    level: 'warning',
    text: `${text}, not for ${hostname}, the host of ISSUER`,
    remedy: 'get one for every name that clients use, or correct ISSUER',
  };
};

/**
 * Everything about the certificate; nothing without TLS.
 * @param nowMs wall clock, milliseconds since 1970
 */
export const checkCertificate = (config: Config, nowMs: number): readonly Finding[] => {
  const files = certificateFiles(config);
  if (files === undefined) return [];
  try {
    const certificate = readCertificate(files);
    return [
      ok(`TLS_KEY_FILE ${files.keyFile} is the key of the certificate in ${files.certFile}`),
      checkValidity(certificate, files.certFile, nowMs),
      checkNames(certificate, files.certFile, config.issuer),
      ...certificate.warnings.map((warning): Finding => ({ level: 'warning', text: warning })),
    ];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [{ level: 'failure', text: error.message }];
  }
};
