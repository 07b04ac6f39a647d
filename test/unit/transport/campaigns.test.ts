/** The campaigns with few cases, so that they work when they are wanted. Their full counts are in docs/hazards.md. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const CAMPAIGNS = [
  ['faults.js', '--count', '6', '--cuts', '1500'],
  ['histories.js', '--count', '20'],
  ['forgeries.js', '--count', '80'],
  ['fuzz.js', '--count', '200'],
] as const;

describe('the campaigns against the transport, a few cases of each', () => {
  for (const [file, ...options] of CAMPAIGNS) {
    it(file, async () => {
      const program = join(__dirname, '..', '..', 'campaigns', 'transport', file);
      const child = spawn(process.execPath, [program, ...options, '--seed', '1', '--json', '--check']);
      let output = '';
      child.stdout.on('data', (piece: Buffer) => (output += piece.toString()));
      child.stderr.on('data', (piece: Buffer) => (output += piece.toString()));
      const [code] = (await once(child, 'close')) as [number];
      assert.equal(code, 0, output.slice(-2_000));
    });
  }
});
