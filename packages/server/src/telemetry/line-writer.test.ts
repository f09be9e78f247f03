import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { LineWriter } from './line-writer.ts';

const bytesMax = 10_000;
const line = (number: number): string => `line ${number} ${'x'.repeat(1000)}\n`;

test('lines without a reader are dropped beyond a bound, and reported when a reader is back', async () => {
  const reader = spawn('sh', ['-c', 'read go <&3; exec cat'], { stdio: ['pipe', 'pipe', 'inherit', 'pipe'] });
  const { stdin, stdout } = reader;
  assert.ok(stdin !== null && stdout !== null);
  const writer = new LineWriter(stdin, bytesMax);
  const told: number[] = [];
  writer.onRelief((dropped) => {
    told.push(dropped);
    writer.write(`dropped ${dropped}\n`);
  });
  let written = 0;
  while (writer.dropped < 50) {
    writer.write(line(written++));
    // The system takes what it can.
    if (written % 20 === 0) await delay(1);
    assert.ok(stdin.writableLength < bytesMax + 1100, 'no more waits than may');
  }
  assert.deepEqual(told, []);

  let output = '';
  stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  (reader.stdio[3] as NodeJS.WritableStream).end('go\n');
  while (stdin.writableLength > bytesMax / 2) await delay(5);
  writer.write(line(written));
  stdin.end();
  await once(reader, 'close');
  assert.deepEqual(told, [50]);
  const lines = output.trimEnd().split('\n');
  assert.equal(lines.length, written - 50 + 2);
  assert.deepEqual([lines.at(-2), lines.at(-1)], ['dropped 50', line(written).trimEnd()]);
  assert.ok(
    lines.slice(0, -2).every((text, index) => text === line(index).trimEnd()),
    'each line is whole',
  );
});

test('the end of the reader does not end the writer', async () => {
  const reader = spawn('true', { stdio: ['pipe', 'ignore', 'inherit'] });
  const writer = new LineWriter(reader.stdin, bytesMax);
  await once(reader, 'exit');
  for (let number = 0; number < 100; number++) {
    writer.write(line(number));
    await delay(1);
  }
  assert.ok(writer.dropped > 0);
});
