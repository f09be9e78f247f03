/**
 * Which certificates of a target are taken.
 * @module
 */
import { readFileSync } from 'node:fs';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';

/** Authorities that are trusted beside those of the system. */
export interface Authorities {
  readonly file: string;
  /** Its certificates, in PEM. */
  readonly certificates: string;
}

/** Which certificates connections take. */
export interface Trust {
  readonly authorities: Authorities | undefined;
  /** Whether any certificate is taken. */
  readonly isInsecure: boolean;
}

/** The trust of a command line that says nothing about it. */
export const usualTrust: Trust = { authorities: undefined, isInsecure: false };

const certificateGrammar = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Largest file of authorities, bytes: a system's whole list is under 300 KB. */
const bytesMax = 4 * 2 ** 20;

/**
 * Reads the certificates of a PEM file. Other contents, such as a key, are left out.
 * @throws Error that says what is wrong with it
 */
export const readAuthorities = (file: string): Authorities => {
  let text: string;
  try {
    text = readFileSync(file, 'latin1');
  } catch (error) {
    throw new Error(`Cannot read ${file}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
  const found = text.length > bytesMax ? [] : (text.match(certificateGrammar) ?? []);
  if (found.length === 0) throw new Error(`${file} holds no certificate in PEM ("-----BEGIN CERTIFICATE-----")`);
  const certificates = `${found.join('\n')}\n`;
  try {
    createSecureContext({ ca: certificates });
  } catch {
    throw new Error(`${file} holds a certificate that cannot be read`);
  }
  return { file, certificates };
};

const contexts = new Map<string | undefined, SecureContext>();

/**
 * The context that connections share: reading the authorities of the system for each would cost
 * milliseconds.
 */
export const contextOf = ({ authorities }: Pick<Trust, 'authorities'>): SecureContext => {
  const key = authorities?.certificates;
  const known = contexts.get(key);
  if (known !== undefined) return known;
  const context = createSecureContext(key === undefined ? {} : { ca: [...getCACertificates('default'), key] });
  contexts.set(key, context);
  return context;
};
