import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LimitPlan, refuseLimits } from './limits.ts';

const roomy: LimitPlan = {
  users: 10_000,
  processes: 1,
  addresses: 1,
  otherConnections: 0,
  openFilesMax: 20_000,
  portsPerAddress: 28_232,
};

test('10,000 users fit one address, and a machine with 20,000 open files', () => {
  assert.equal(refuseLimits(roomy), undefined);
});

test('too few open files are refused with the command that helps, and more processes help', () => {
  const many = { ...roomy, users: 30_000, addresses: 65_534 };
  assert.match(refuseLimits(many) ?? '', /30064 open files.*20000.*ulimit -n 30064.*--processes/);
  assert.equal(refuseLimits({ ...many, processes: 2 }), undefined);
});

test('too few ports are refused with how many addresses are needed', () => {
  const many = { ...roomy, users: 60_000, openFilesMax: 1_000_000 };
  assert.match(refuseLimits(many) ?? '', /28232.*at least 3 addresses with --source-addresses/);
  assert.equal(refuseLimits({ ...many, addresses: 3 }), undefined);
});

test('what is not known is not judged', () => {
  assert.equal(refuseLimits({ ...roomy, users: 1e9, openFilesMax: undefined, portsPerAddress: undefined }), undefined);
});
