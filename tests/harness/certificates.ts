/**
 * X.509 certificates made here, so that no test needs a program for it: just enough DER (ITU-T X.690) for RFC 5280.
 * @module
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { chmodSync, renameSync, writeFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { join } from 'node:path';

const der = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 128 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
};
const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts);
const identifier = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const bits = (bytes: Buffer): Buffer => der(0x03, Buffer.from([0]), bytes);

const commonName = identifier('550403');
const subjectAltName = identifier('551d11');
const basicConstraints = identifier('551d13');
const ecdsaWithSha256 = sequence(identifier('2a8648ce3d040302'));

const nameOf = (name: string): Buffer => sequence(der(0x31, sequence(commonName, der(0x0c, Buffer.from(name)))));
/** GeneralizedTime; years from 2050 on need it, the others may have it in a test. */
const timeOf = (ms: number): Buffer => {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  // UTCTime until 2049 (RFC 5280 section 4.1.2.5).
  return Number(digits.slice(0, 4)) < 2050 ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits));
};
const altName = (name: string): Buffer =>
  isIPv4(name) ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name));

/** Contents of a certificate. */
export interface CertificateRecipe {
  /** Names and IPv4 addresses; the first is also its common name. @default localhost and 127.0.0.1 */
  readonly names?: readonly string[];
  /** When its validity begins and ends, days from now. @default -1 to 90 */
  readonly fromDays?: number;
  readonly untilDays?: number;
  /** Its issuer. @default itself */
  readonly issuer?: MadeCertificate;
  readonly isAuthority?: boolean;
}

/** A certificate with its key. */
export interface MadeCertificate {
  readonly name: string;
  readonly privateKey: KeyObject;
  /** PEM. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

const dayMs = 86_400_000;

/** Makes a certificate on P-256. */
export const makeCertificate = (recipe: CertificateRecipe = {}): MadeCertificate => {
  const { names = ['localhost', '127.0.0.1'], fromDays = -1, untilDays = 90, issuer, isAuthority = false } = recipe;
  const name = names[0] ?? '';
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const extensions = [
    sequence(subjectAltName, der(0x04, sequence(...names.map(altName)))),
    ...(isAuthority ? [sequence(basicConstraints, der(0x04, sequence(der(0x01, Buffer.from([0xff])))))] : []),
  ];
  const nowMs = Date.now();
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1]), randomBytes(8)),
    ecdsaWithSha256,
    nameOf(issuer?.name ?? name),
    sequence(timeOf(nowMs + fromDays * dayMs), timeOf(nowMs + untilDays * dayMs)),
    nameOf(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = sign('sha256', body, issuer?.privateKey ?? privateKey);
  const text = sequence(body, ecdsaWithSha256, bits(signature)).toString('base64').replaceAll(/.{64}/g, '$&\n').trim();
  return {
    name,
    privateKey,
    cert: `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
};

/** Settings of a service that name the two files. */
export type TlsSettings = Readonly<Record<'TLS_CERT_FILE' | 'TLS_KEY_FILE', string>>;

/** Writes a pair into a folder; each file replaces the one before in one step. @returns the settings that name them */
export const placeCertificate = (folder: string, { cert, key }: Pick<MadeCertificate, 'cert' | 'key'>): TlsSettings => {
  const place = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(`${path}.new`, text);
    chmodSync(`${path}.new`, 0o600);
    renameSync(`${path}.new`, path);
    return path;
  };
  return { TLS_CERT_FILE: place('tls.crt', cert), TLS_KEY_FILE: place('tls.key', key) };
};
