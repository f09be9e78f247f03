#!/usr/bin/env node
import { runPinned } from '../../../scripts/run-pinned.mjs';

await runPinned(new URL('../src/sidecar/main.ts', import.meta.url));
