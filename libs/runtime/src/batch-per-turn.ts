/**
 * Returns a function that collects the questions of one turn of the event loop and has them answered together. The batch
 * begins when everything that arrived in the turn has been taken in, so a lone question waits for next to nothing.
 *
 * `answer` returns as many answers as it gets questions, in their order; when it throws, so does every question of the
 * batch. It runs in the context of the first question.
 */
export function batchPerTurn<Q, A>(
  answer: (questions: readonly Q[]) => Promise<readonly A[]>,
): (question: Q) => Promise<A> {
  let open: { questions: Q[]; answers: Promise<readonly A[]> } | undefined;

  function begin() {
    const questions: Q[] = [];
    const answers = new Promise<readonly A[]>((resolve) => {
      setImmediate(() => {
        open = undefined;
        resolve(answer(questions));
      });
    });
    return { questions, answers };
  }

  return async (question) => {
    open ??= begin();
    const { questions, answers } = open;
    const place = questions.push(question) - 1;
    return (await answers)[place] as A;
  };
}
