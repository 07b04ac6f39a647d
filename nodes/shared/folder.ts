/** Where nodes keep their files. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { NodeAPI } from 'node-red';

/** `directory-sync` in Node-RED's user directory. */
export function dataFolder(RED: NodeAPI): string {
  return join(RED.settings.userDir ?? join(homedir(), '.node-red'), 'directory-sync');
}
