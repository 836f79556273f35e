import { timestampMs } from '@bufbuild/protobuf/wkt';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { CommentsService, type Comment, type Task } from '#client/tasks';
import { serviceAt } from '../api.ts';
import { useNameOf, usePeople, type Person } from '../live/use-people.ts';
import { useMe } from '../session/use-session.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Button, IconButton } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { ErrorNotice, Loading } from '../ui/notice.tsx';
import { When } from '../ui/when.tsx';
import type { Viewer } from './filters.ts';
import type { TaskRights } from './task-rights.ts';
import { WriteComment } from './write-comment.tsx';

const comments = serviceAt(CommentsService);

interface CommentProps {
  comment: Comment;
  who: string;
  people: readonly Person[];
  mayDelete: boolean;
  mayEdit: boolean;
  onChanged: () => Promise<unknown>;
}

function CommentHead({ comment, who, children }: Pick<CommentProps, 'comment' | 'who'> & { children?: ReactNode }) {
  const me = useMe();
  return (
    <div className="comment-head">
      <Avatar id={comment.authorId} name={who === 'You' ? me.displayName : who} />
      <strong className="truncate">{who}</strong>
      <span className="faint small grow">
        {comment.createTime !== undefined && <When ms={timestampMs(comment.createTime)} />}
        {comment.editTime !== undefined && ' · edited'}
      </span>
      {children}
    </div>
  );
}

function CommentText({ comment }: { comment: Comment }) {
  if (comment.deleteTime === undefined) return <p className="comment-text">{comment.text}</p>;
  return <p className="faint">This comment was deleted.</p>;
}

function DeleteComment({ comment, onChanged }: Pick<CommentProps, 'comment' | 'onChanged'>) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <IconButton compact icon="trash" label="Delete the comment" onClick={() => setAsking(true)} />
      {asking && (
        <Confirm
          title="Delete this comment?"
          verb="Delete"
          danger
          onClose={() => setAsking(false)}
          work={async () => {
            await comments.deleteComment({ commentId: comment.id });
            await onChanged();
          }}
        >
          <p className="soft">Its text is gone for good. That there was a comment stays.</p>
        </Confirm>
      )}
    </>
  );
}

function CommentLine({ comment, who, people, mayDelete, mayEdit, onChanged }: CommentProps) {
  /** The version that is being changed: another one meanwhile is not written over unseen. */
  const [base, setBase] = useState<Comment>();
  const [isPast, setIsPast] = useState(false);
  const isThere = comment.deleteTime === undefined;
  const stop = (): void => {
    setBase(undefined);
    setIsPast(false);
  };
  const edit = async (text: string, { id, etag }: Comment): Promise<void> => {
    try {
      await comments.editComment({ commentId: id, text, etag });
      stop();
    } catch (error) {
      setIsPast(true);
      // What is there now is shown beside what was typed; saving again takes its place.
      setBase((await comments.getComment({ commentId: id }).catch(() => undefined))?.comment ?? base);
      throw error;
    } finally {
      await onChanged();
    }
  };
  return (
    <li className="comment">
      <CommentHead comment={comment} who={who}>
        {isThere && mayEdit && base === undefined && (
          <Button look="quiet" compact onClick={() => setBase(comment)}>
            Edit
          </Button>
        )}
        {isThere && mayDelete && <DeleteComment comment={comment} onChanged={onChanged} />}
      </CommentHead>
      {(base === undefined || isPast || base.etag !== comment.etag) && <CommentText comment={comment} />}
      {base !== undefined && (
        <WriteComment
          label="Your comment"
          verb="Save"
          people={people}
          initial={base.text}
          onSave={(text) => edit(text, base)}
          onCancel={stop}
        />
      )}
    </li>
  );
}

/** What people have said about a task, the latest last. What others write comes by the stream of tasks. */
export function Comments({ task, viewer, rights }: { task: Task; viewer: Viewer; rights: TaskRights }) {
  const people = usePeople(task.projectId).filter(({ id }) => id !== viewer.id);
  const personName = useNameOf(viewer.id, task.projectId);
  const queryClient = useQueryClient();
  const queryKey = ['comments', task.id];
  const query = useInfiniteQuery({
    queryKey,
    queryFn: ({ signal, pageParam }) =>
      comments.listComments({ taskId: task.id, pageToken: pageParam, pageSize: 20, newestFirst: true }, { signal }),
    initialPageParam: '',
    getNextPageParam: ({ nextPageToken }) => nextPageToken || undefined,
  });
  const onChanged = () => queryClient.invalidateQueries({ queryKey });
  const shown = (query.data?.pages.flatMap((page) => page.comments) ?? []).toReversed();
  const nameOf = ({ authorId, authorName }: Comment): string =>
    authorId === viewer.id ? 'You' : authorName || personName(authorId);
  if (shown.length === 0 && !rights.comment && !query.isError) return null;
  return (
    <section className="comments" aria-label="Comments">
      <h2>Comments</h2>
      {query.isPending && <Loading rows={2} label="Loading the comments" />}
      {query.isError && <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />}
      {query.hasNextPage && (
        <Button look="quiet" compact busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          Show earlier comments
        </Button>
      )}
      <ol>
        {shown.map((comment) => {
          const isMine = comment.authorId === viewer.id;
          const mayDelete = rights.moderate || (isMine && rights.comment);
          return (
            <CommentLine
              key={comment.id}
              mayEdit={isMine && rights.comment}
              who={nameOf(comment)}
              {...{ comment, people, mayDelete, onChanged }}
            />
          );
        })}
      </ol>
      {rights.comment && (
        <WriteComment
          label="Write a comment"
          verb="Comment"
          people={people}
          onSave={(text) => comments.addComment({ taskId: task.id, text }).then(onChanged)}
        />
      )}
    </section>
  );
}
