/**
 * Turns what extract read into records of an account: batch by batch, with the same numbers, and behind them the members who are
 * known only at the end. What an administrator should correct goes out on the second output.
 */
import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import { Enrichment } from '../../engine/enrich/enrichment.js';
import { attributesMissing } from '../../engine/enrich/settings.js';
import { asDirectorySyncError, type DirectorySyncError } from '../../engine/model/errors.js';
import { batchMessage, countRecords, parseExtractedMessage, sealMessage } from '../../engine/model/message.js';
import { type ExtractedRecord, type RecordCounts, noRecords } from '../../engine/model/records.js';
import type { Finding, Run, Seal } from '../../engine/model/run.js';
import { RunStage } from '../../engine/runtime/stage.js';
import { Turns } from '../../engine/runtime/turns.js';
import { announceClaim } from '../../engine/runtime/window.js';
import { directories } from '../shared/offers.js';
import { type Send, runNode } from '../shared/wrap.js';
import { enrichSettings } from './settings.js';

/** A message and the way on for it. */
interface Passing {
  message: NodeMessage;
  send: Send;
}
/** What is kept for a run. `work` is the error where the settings of a server are wrong: the run's first batch throws it. */
interface PassedOn {
  records: RecordCounts;
  work: Enrichment | { error: DirectorySyncError };
}

export = function (RED: NodeAPI): void {
  function DirectoryEnrich(this: Node, config: NodeDef) {
    RED.nodes.createNode(this, config);
    runNode(RED, this, (life) => {
      const settings = enrichSettings(config);
      const turns = new Turns();
      const warn = (sentence: string) => this.warn(sentence);
      const directoryOf = (id: string) => (id === '' ? null : directories.take(RED, this, id)());
      const begin = (run: Run): Enrichment | { error: DirectorySyncError } => {
        announceClaim(run.id);
        try {
          const whom = { own: directoryOf(settings.server), other: directoryOf(settings.foreignServer) };
          return new Enrichment(settings.enrich, whom, new Date(run.startedAt), life.signal);
        } catch (error) {
          return { error: asDirectorySyncError(error) };
        }
      };
      const stage = new RunStage<ExtractedRecord, PassedOn, Passing, Seal>({
        begin: (run) => ({ records: noRecords(), work: begin(run) }),
        async batch({ run, state }, index, records, { message, send }) {
          await turns.next();
          const { records: enriched, findings } = await working(state).batch(records);
          countRecords(enriched, state.records);
          const sent = Object.assign(message, batchMessage(run, index, enriched));
          if (findings.length > 0) send([sent, findingsMessage(message, run, findings)]);
          else send(sent);
          life.status.busy('enriching', { count: total(state.records) });
        },
        seal({ run, state, ledger }, seal, { message, send }) {
          const work = working(state);
          for (const attribute of attributesMissing(settings.enrich, seal.brought)) {
            warn(RED._('directory-enrich.warning.notRead', { attribute }));
          }
          // An empty batch in the place of each that is missing: the seal says so, once, and nobody behind waits for them.
          for (const index of ledger.missing(seal.batches, seal.batches)) send({ ...batchMessage(run, index, []) });
          let { batches } = seal;
          for (const records of work.rest()) {
            countRecords(records, state.records);
            send({ ...message, ...batchMessage(run, batches, records) });
            batches += 1;
          }
          const { figures, incomplete, findings } = work.outcome();
          const passedOn = { batches, records: state.records };
          const sealed: Seal = {
            ...seal,
            ...passedOn,
            complete: seal.complete && incomplete.length === 0,
            incomplete: [...seal.incomplete, ...incomplete],
            stages: [...seal.stages, ledger.stage('enrich', passedOn, figures)],
            ...(findings === undefined ? {} : { findings }),
          };
          send(Object.assign(message, sealMessage(run, sealed)));
          life.status.good('enriched', { count: total(state.records) });
          return Promise.resolve(sealed);
        },
        end: async ({ state: { work } }) => (work instanceof Enrichment ? work.close() : undefined),
      });
      return {
        async input(message, send) {
          await stage.take(parseExtractedMessage(message), { message, send });
        },
        close: () => stage.close(),
      };
    });
  }
  RED.nodes.registerType('directory-enrich', DirectoryEnrich);
};

function working({ work }: PassedOn): Enrichment {
  if (work instanceof Enrichment) return work;
  throw work.error;
}

/** What the message that brought the batch carries is carried on, and which run it was. */
function findingsMessage(message: NodeMessage, run: Run, findings: Finding[]): NodeMessage {
  const sent: NodeMessage = { ...message, topic: 'findings', payload: findings };
  delete sent['parts'];
  return Object.assign(sent, { run });
}

function total(records: RecordCounts): number {
  return Object.values(records).reduce((sum, count) => sum + count, 0);
}
