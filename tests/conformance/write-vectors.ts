/**
 * Writes docs/reference/guard-vectors.json. `npm run guard-vectors` runs it after a change of the protocol.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './guard-conformance.ts';
import { makeVectors, vectorsFile } from './vectors.ts';

writeFileSync(vectorsFile, JSON.stringify(await makeVectors()));
execFileSync(join(root, 'node_modules/.bin/biome'), ['format', '--write', vectorsFile], { stdio: 'inherit' });
