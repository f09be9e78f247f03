/**
 * The process of the run and one generator: questions, answers, and what the generator says
 * unasked.
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { bequeath, revoke } from '../containment/last-will.ts';
import { announceBlocked } from '../containment/watchdog.ts';
import { waitAtMost } from './load.ts';
import type { CallName, Calls, GeneratorMessage } from './messages.ts';

const program = fileURLToPath(new URL('./generator-process.ts', import.meta.url));

/** Longest wait for an answer, milliseconds. */
export const answerMsMax = 2000;

/** One generator process, seen from the process of the run. */
export interface Generator {
  readonly child: ChildProcess;
  readonly number: number;
  readonly name: string;
  isReady: boolean;
  /** From the start of the run until the run needs it no more. */
  isAtWork: boolean;
  /** Code of the scenario did not give way in it. */
  wasBlocked: boolean;
  /** How it has ended, in words; `undefined` while it is there. */
  ended: string | undefined;
  /** @throws Error when it could not do it */
  ask<Name extends CallName>(call: Name, argument: Calls[Name][0]): Promise<Calls[Name][1]>;
}

interface Question {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Starts a generator. @param say shows its output, and how it ended if that was too early */
export const startGenerator = (number: number, say: (text: string) => void): Generator => {
  const child = fork(program, { serialization: 'advanced' });
  // It ends when this process is gone; one that cannot notice must end all the same.
  const { pid } = child;
  if (pid !== undefined) {
    bequeath(pid, 'SIGKILL');
    child.once('exit', () => revoke(pid));
  }
  const questions = new Map<number, Question>();
  let id = 0;
  const name = `Generator process ${number + 1} (process id ${child.pid})`;
  const generator: Generator = {
    child,
    number,
    name,
    isReady: false,
    isAtWork: false,
    wasBlocked: false,
    ended: undefined,
    ask: (call, argument) =>
      new Promise((resolve, reject) => {
        if (generator.ended !== undefined) return reject(new Error(generator.ended));
        questions.set(++id, { resolve: resolve as (value: unknown) => void, reject });
        // A failure to send ends in `exit`, which rejects every question.
        child.send({ id, call, argument }, () => {});
      }),
  };
  child.on('message', (message) => {
    const told = message as GeneratorMessage;
    if (told.kind === 'say') say(`Process ${number + 1}: ${told.text}`);
    else if (told.kind === 'ready') generator.isReady = true;
    else if (told.kind === 'blocked') {
      generator.wasBlocked = true;
      announceBlocked({ place: told.place, isElsewhere: true });
    } else {
      const question = questions.get(told.id);
      questions.delete(told.id);
      if (told.kind === 'answer') question?.resolve(told.value);
      else question?.reject(new Error(told.message));
    }
  });
  const giveUpQuestions = (): void => {
    for (const { reject } of questions.values()) reject(new Error(generator.ended));
    questions.clear();
  };
  child.on('error', (error) => {
    if (child.pid !== undefined) return;
    generator.ended = `${name} did not start: ${error.message}`;
    giveUpQuestions();
  });
  child.once('exit', (code, signal) => {
    generator.ended = `${name} ended with ${signal ?? `exit code ${code}`}`;
    if (generator.isAtWork) say(`${generator.ended}; the run goes on without its users, and is invalid`);
    if (!child.connected) giveUpQuestions();
  });
  // Messages that it sent before it ended are read until here.
  child.once('disconnect', () => {
    if (generator.ended !== undefined) giveUpQuestions();
  });
  return generator;
};

/** Asks all of them; one that has ended or takes too long is left out. */
export const askAll = async <Name extends CallName>(
  generators: readonly Generator[],
  call: Name,
  argument: Calls[Name][0],
  msMax = answerMsMax,
): Promise<readonly (readonly [Generator, Calls[Name][1]])[]> => {
  const answers: (readonly [Generator, Calls[Name][1]])[] = [];
  const asking = generators.map(async (generator) => {
    const answer = await generator.ask(call, argument).catch(() => undefined);
    if (answer !== undefined) answers.push([generator, answer]);
  });
  await waitAtMost(Promise.all(asking), msMax);
  return [...answers];
};
