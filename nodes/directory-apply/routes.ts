/**
 * Held plans through the editor's own server, for those with the permission `directory-sync.approve`:
 *
 *     GET  directory-sync/apply/<id>/plans                       the plans that wait
 *     GET  directory-sync/apply/<id>/plans/<digest>/steps        what one does: kind, change, how often
 *     GET  directory-sync/apply/<id>/plans/<digest>              its changes with names, a thousand at most; `?kind=` and
 *                                                                `?change=`: those of one step; `?after=`: behind that `seq`
 *     POST directory-sync/apply/<id>/plans/<digest>/approve      or /reject
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NodeAPI } from 'node-red';
import type { Account, Shown } from '../../engine/account/account.js';
import type { Report } from '../../engine/model/report.js';
import { AccountError, DirectorySyncError, asDirectorySyncError } from '../../engine/model/errors.js';
import type { WithAccount } from '../shared/offers.js';

/** What a deployed apply node lets its routes do. */
export interface Approvable {
  readonly withAccount: WithAccount;
  decide(what: { plan: string; verdict: 'approve' | 'reject'; by: string }): Promise<Report>;
}

/** Apply nodes that are deployed, by id. */
export const approvable = new Map<string, Approvable>();

export const PERMISSION = 'directory-sync.approve';
const ROOT = '/directory-sync/apply/:id/plans';
const MOST = 1_000;

interface Asked extends IncomingMessage {
  readonly params: Record<string, string>;
  readonly query: Record<string, unknown>;
  /** Who is logged in to the editor, where it asks for that. */
  readonly user?: unknown;
}

function nameOf(user: unknown): string {
  const named = typeof user === 'object' && user !== null && 'username' in user ? user.username : undefined;
  return typeof named === 'string' ? named : 'an administrator';
}

function noSuchPlan(): AccountError {
  return new AccountError('PLAN_UNKNOWN', {
    message: 'No plan with that digest waits. Ask for the plans that do, and take the digest from there.',
    status: 'unknown plan',
  });
}

/** What is to be known of a plan that waits; `PLAN_UNKNOWN` where it does not. */
async function waiting<Item>(
  account: Account,
  params: Asked['params'],
  ask: (plan: string) => Promise<Item[]>,
): Promise<Item[]> {
  const digest = params['digest'] ?? '';
  const found = await ask(digest);
  if (found.length === 0 && !(await account.heldPlans()).some(({ plan }) => plan === digest)) throw noSuchPlan();
  return found;
}

function shownOf({ query }: Asked): Shown {
  const word = (name: string) => (typeof query[name] === 'string' ? query[name] : '');
  const after = Number(word('after'));
  return { kind: word('kind'), change: word('change'), after: Number.isSafeInteger(after) ? after : 0, limit: MOST };
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
}

/** Registers the routes. Call it once, when the node's type is registered. */
export function serveDecisions(RED: NodeAPI): void {
  const allowed = RED.auth.needsPermission(PERMISSION);
  const serve =
    (work: (node: Approvable, asked: Asked) => Promise<unknown>) => (asked: Asked, response: ServerResponse) => {
      const node = approvable.get(asked.params['id'] ?? '');
      if (!node) {
        answer(response, 404, { code: 'NODE_MISSING', message: 'No such directory-apply node is deployed.' });
        return;
      }
      work(node, asked).then(
        (body) => answer(response, 200, body),
        (thrown: unknown) => {
          const { code, message } = asDirectorySyncError(thrown);
          const known = thrown instanceof DirectorySyncError && (code === 'PLAN_UNKNOWN' || code === 'PLAN_DECIDED');
          answer(response, code === 'PLAN_UNKNOWN' ? 404 : known ? 409 : 500, { code, message });
        },
      );
    };
  const decision = (verdict: 'approve' | 'reject') =>
    serve((node, { params, user }) => node.decide({ plan: params['digest'] ?? '', verdict, by: nameOf(user) }));
  RED.httpAdmin.get(
    ROOT,
    allowed,
    serve(({ withAccount }) => withAccount((account) => account.heldPlans())),
  );
  RED.httpAdmin.get(
    `${ROOT}/:digest/steps`,
    allowed,
    serve(({ withAccount }, { params }) =>
      withAccount((account) => waiting(account, params, (plan) => account.plannedSteps(plan))),
    ),
  );
  RED.httpAdmin.get(
    `${ROOT}/:digest`,
    allowed,
    serve(({ withAccount }, asked) =>
      withAccount((account) => waiting(account, asked.params, (plan) => account.shownChanges(plan, shownOf(asked)))),
    ),
  );
  RED.httpAdmin.post(`${ROOT}/:digest/approve`, allowed, decision('approve'));
  RED.httpAdmin.post(`${ROOT}/:digest/reject`, allowed, decision('reject'));
}
