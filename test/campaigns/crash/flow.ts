/** The documented flow for a Node-RED that is to be killed: both halves in one, HTTPS between them. */
import { join } from 'node:path';
import { makeCertificates } from '../../support/certificates.js';
import type { SampleDirectory } from '../../support/directory/index.js';
import type { FlowNode as HelperNode } from '../../support/flow.js';
import { type FlowNode, freePort } from '../../support/node-red.js';
import { BASE, PASSWORD, USER } from './world.js';

const KEY = 'crash-test-key-of-32-characters-and-more';
const LIMITS = ['Users', 'Groups', 'Members', 'MembersPerGroup', 'Addresses'];
const REPORT = `node.warn('reported ' + msg.payload.outcome + ' ' + msg.payload.complete); return null;`;

export async function flowOf(world: { directory: SampleDirectory; folder: string }): Promise<FlowNode[]> {
  const { certFile, keyFile, caFile } = await makeCertificates(world.folder);
  const port = await freePort();
  const on = { z: 'tab' };
  return [
    { id: 'tab', type: 'tab', label: 'crash' },
    { id: 'trust', type: 'tls-config', cert: '', key: '', ca: caFile, verifyservercert: true },
    { id: 'own', type: 'tls-config', cert: certFile, key: keyFile, ca: caFile, verifyservercert: true },
    {
      id: 'server',
      type: 'directory-server',
      servers: `127.0.0.1:${String(world.directory.port)}`,
      encryption: 'none',
      base: BASE,
      pageSize: 20,
      credentials: { user: USER, password: PASSWORD },
    },
    {
      id: 'endpoint',
      type: 'directory-endpoint',
      url: `https://127.0.0.1:${String(port)}/directory-sync`,
      keyId: 'k',
      tls: 'trust',
      deadline: 20,
      credentials: { key: KEY },
    },
    {
      id: 'account',
      type: 'directory-account',
      file: join(world.folder, 'account.sqlite'),
      attributes: 'title',
      userLeft: 'remove',
      graceDays: 0,
      graceRuns: 1,
      holdUnusual: false,
      ...Object.fromEntries(LIMITS.map((of) => [`limit${of}`, 'unlimited'])),
    },
    { ...on, id: 'go', type: 'inject', props: [], wires: [['extract']] },
    {
      ...on,
      id: 'extract',
      type: 'directory-extract',
      version: 2,
      server: 'server',
      source: 'company',
      attributes: 'title',
      batchSize: 20,
      wires: [['enrich']],
    },
    { ...on, id: 'enrich', type: 'directory-enrich', wires: [['transmit']] },
    { ...on, id: 'transmit', type: 'directory-transmit', endpoint: 'endpoint', wires: [['told']] },
    {
      ...on,
      id: 'receive',
      type: 'directory-receive',
      keyId: 'k',
      host: '127.0.0.1',
      port,
      tls: 'own',
      credentials: { key: KEY },
      wires: [['apply']],
    },
    { ...on, id: 'apply', type: 'directory-apply', account: 'account', wires: [[], [], []] },
    { ...on, id: 'told', type: 'function', func: REPORT, outputs: 0, wires: [] },
  ];
}

/** As the helper takes it: credentials apart, and what passes on to its own nodes. */
export async function wholeFlow(world: { directory: SampleDirectory; folder: string }) {
  const wires: Record<string, string[][]> = { apply: [['report']], transmit: [['answer']] };
  const nodes = (await flowOf(world)).filter(({ id }) => !['tab', 'go', 'told'].includes(id));
  const credentials: Record<string, Record<string, string>> = {};
  const flow = nodes.map(({ credentials: own, z, ...node }): HelperNode => {
    if (own) credentials[node.id] = own as Record<string, string>;
    return z === undefined ? node : { ...node, wires: wires[node.id] ?? (node['wires'] as string[][]) };
  });
  return { flow, credentials };
}
