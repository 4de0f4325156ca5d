"""Captures and facts with what is told beside them, for every statement that reads them."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

UP = (
    """
    create view capture_detail as
    select capture.id, capture.run_id, run.experiment_id, experiment.project_id, capture.ordinal_number,
      capture.status, capture.archived, capture.started_at, capture.stopped_at, capture.auto_stop_at,
      capture.duration_s, capture.pre_roll_s, capture.notes, capture.initiated_by,
      initiator.name as initiated_name, capture.initiated_role, capture.created_at, run.number as run_number,
      run.name as run_name, experiment.name as experiment_name,
      array(select sensor_id from capture_sensor where capture_id = capture.id order by place) as sensor_ids,
      capture.failure, capture.failure_code, capture.failure_sensors,
      (select count(*) from capture_seal seal where seal.capture_id = capture.id) as seals,
      (
        select coalesce(sum(late.n), 0)::bigint
        from capture_late late
        where late.capture_id = capture.id and late.seal is null
      ) as late_waiting,
      (
        select jsonb_build_object(
          'seal', job.seal,
          'sensors', count(part),
          'sensors_done', count(part.sha256),
          'share', coalesce(avg(case
            when part.sha256 is not null or part.to_t <= part.from_t then 1
            else (part.next_t - part.from_t)::float8 / (part.to_t - part.from_t)
          end), 0),
          'samples', coalesce(sum(part.added), 0),
          'error', job.error
        )
        from seal_job job
        left join seal_part part on part.capture_id = job.capture_id
        where job.capture_id = capture.id
        group by job.capture_id
      ) as sealing,
      coalesce((select max(revision) from capture_revision where capture_id = capture.id), 1) as revision,
      exists (
        select from backfill where capture_id = capture.id and status in ('waiting', 'running')
      ) as backfilling
    from capture_session capture
    join run on run.id = capture.run_id
    join experiment on experiment.id = run.experiment_id
    join app_user initiator on initiator.id = capture.initiated_by
    """,
    # `told` is what a search looks in.
    """
    create view fact_detail as
    select fact.id, fact.at, fact.project_id, fact.kind, fact.subject_id, fact.principal_id, fact.principal_kind,
      fact.role, fact.address, fact.user_agent, fact.request_id, fact.credential_id, fact.details,
      actor.id as user_id, actor.name as user_name, actor.email as user_email,
      exists (select from fact_link where fact_id = fact.id) as linked,
      lower(concat_ws(
        ' ', fact.kind, actor.name, actor.email, fact.address, fact.user_agent, fact.request_id, fact.details::text
      )) as told
    from fact
    left join app_user actor on actor.id = fact.principal_id and fact.principal_kind = 'user'
    """,
    "revoke insert, update, delete on capture_detail, fact_detail from etp_app",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop view fact_detail")
    op.execute("drop view capture_detail")
