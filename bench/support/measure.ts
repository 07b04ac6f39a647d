/** Times whole processes: wall time, and the processor time that the system accounted to them and their children. */
import { spawn } from 'node:child_process';

export interface Measured {
  readonly wall: number;
  /** User and system time together, in seconds. */
  readonly cpu: number;
  /** What it printed. */
  readonly output: string;
}

/**
 * Runs a command to its end. Its processor time comes from the shell's `time`, which asks the system about the finished
 * child; a command that fails makes this fail.
 */
export async function measure(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Measured> {
  const child = spawn('bash', ['-c', 'TIMEFORMAT="@ %R %U %S"; time "$@"', 'measure', command, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let complaints = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const times = /@ ([\d.]+) ([\d.]+) ([\d.]+)\s*$/.exec(complaints);
  if (code !== 0 || times === null)
    throw new Error(`${command} ended with ${String(code)}: ${complaints.slice(-1000)}`);
  const [wall = 0, user = 0, system = 0] = times.slice(1).map(Number);
  return { wall, cpu: user + system, output };
}

/** The middle value; of an even number the lower of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}
