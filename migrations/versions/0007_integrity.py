"""Rules that no statement can break: what is needed, published or finished stays, and states follow their machines."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# Why they hold against what happens at the same time (READ COMMITTED): who would end a state and who relies on it lock
# the same row, in modes that exclude each other, and look only then, in a statement that sees what the other committed.
# An updated row is locked `for no key update` before its trigger runs. Locks go experiment, run, capture, sensor.
FUNCTIONS = (
    # A violation names its rule as the constraint; its detail holds the facts for the text of the problem.
    """
    create function refuse(rule text, facts jsonb) returns void language plpgsql as $$
    begin
      raise exception 'refused by the rule %', rule
        using errcode = 'check_violation', constraint = rule, detail = facts::text;
    end
    $$
    """,
    # For rules whose triggers have the whole condition in their `when`, or that hold always.
    """
    create function refused() returns trigger language plpgsql as $$
    declare
      thing constant jsonb := case tg_op when 'INSERT' then to_jsonb(new) else to_jsonb(old) end;
    begin
      perform refuse(tg_argv[0], jsonb_build_object(
        'number', thing -> 'number',
        'ordinal', thing -> 'ordinal_number',
        'current', case tg_op when 'INSERT' then 'new' else thing ->> 'status' end,
        'target', case tg_op when 'DELETE' then 'gone' else to_jsonb(new) ->> 'status' end
      ));
      return null;
    end
    $$
    """,
    # I-1. Deleting locks the sensor `for update`; binding, freezing and starting lock it `for key share`, which lets
    # heartbeats pass. Deletion first: the others wait and find it deleted. They first: deletion waits and finds them.
    """
    create function sensor_is_free() returns trigger language plpgsql as $$
    declare
      holders text;
    begin
      perform from sensor where id = old.id for update;
      select string_agg(holder, '; ' order by place, experiment, number, ordinal) into holders
      from (
        select 1, experiment.name, run.number, 0, format('run %s of %s (%s)', run.number, experiment.name, run.status)
        from run_sensor bound
        join run on run.id = bound.run_id
        join experiment on experiment.id = run.experiment_id
        where bound.sensor_id = old.id and run.status in ('draft', 'scheduled', 'running')
        union all
        select 2, experiment.name, run.number, capture.ordinal_number,
          format('capture %s of run %s of %s (running)', capture.ordinal_number, run.number, experiment.name)
        from capture_sensor member
        join capture_session capture on capture.id = member.capture_id
        join run on run.id = capture.run_id
        join experiment on experiment.id = run.experiment_id
        where member.sensor_id = old.id and capture.status = 'running'
      ) as held (place, experiment, number, ordinal, holder);
      if holders is not null then
        perform refuse('sensor_held', jsonb_build_object('holders', holders));
      end if;
      if tg_op = 'DELETE' then
        return old;
      end if;
      return new;
    end
    $$
    """,
    """
    create function sensor_is_there() returns trigger language plpgsql as $$
    begin
      perform from sensor where id = new.sensor_id and deleted_at is null for key share;
      if not found then
        perform refuse('sensor_gone', jsonb_build_object(
          'sensors', (select name from sensor where id = new.sensor_id)
        ));
      end if;
      return new;
    end
    $$
    """,
    # I-2. Archiving updates the experiment; a run that comes or becomes active locks it `for share`: one waits for the
    # other and then sees the archived experiment, or the active run.
    """
    create function experiment_has_no_active_run() returns trigger language plpgsql as $$
    declare
      holders text;
    begin
      select string_agg(format('run %s (%s)', number, status), '; ' order by number) into holders
      from run
      where experiment_id = old.id and status in ('scheduled', 'running');
      if holders is not null then
        perform refuse('experiment_held', jsonb_build_object('holders', holders));
      end if;
      return new;
    end
    $$
    """,
    """
    create function experiment_is_open() returns trigger language plpgsql as $$
    declare
      current text;
    begin
      select status into current from experiment where id = new.experiment_id for share;
      if current = 'archived' then
        perform refuse('experiment_archived', jsonb_build_object('current', current));
      end if;
      return new;
    end
    $$
    """,
    # E-3, I-1. A start locks its run `for share`, an end updates it: the start waits and finds the run over, or the end
    # waits and finds the capture. The frozen sensors may have been deleted while the capture was a draft: look again.
    """
    create function capture_can_start() returns trigger language plpgsql as $$
    declare
      number int;
      current text;
      gone text;
    begin
      select run.number, run.status into number, current from run where id = new.run_id for share;
      if current <> 'running' then
        perform refuse('capture_run', jsonb_build_object('number', number, 'current', current));
      end if;
      perform from sensor
      where id in (select sensor_id from capture_sensor where capture_id = new.id)
      order by id
      for key share;
      select string_agg(name, ', ' order by name) into gone
      from sensor
      where id in (select sensor_id from capture_sensor where capture_id = new.id) and deleted_at is not null;
      if gone is not null then
        perform refuse('sensor_gone', jsonb_build_object('sensors', gone));
      end if;
      return new;
    end
    $$
    """,
    """
    create function run_records_nothing() returns trigger language plpgsql as $$
    declare
      holders text;
    begin
      select string_agg(format('capture %s', ordinal_number), ', ' order by ordinal_number) into holders
      from capture_session
      where run_id = old.id and status = 'running';
      if holders is not null then
        perform refuse('run_recording', jsonb_build_object('number', old.number, 'holders', holders));
      end if;
      return new;
    end
    $$
    """,
    # I-3. Freezing locks the capture `for share`, a start updates it: nothing slips in beside one. The lock has no
    # condition, for `status <> 'draft'` would skip, unlocked, a draft that starts at this moment. A capture that is
    # being deleted is not found any more: its own rule let it go, and its sensors go with it.
    """
    create function capture_is_draft() returns trigger language plpgsql as $$
    declare
      capture record;
    begin
      for capture in
        select ordinal_number, status
        from capture_session
        where id in (old.capture_id, new.capture_id)
        order by id
        for share
      loop
        if capture.status <> 'draft' then
          perform refuse('capture_frozen', jsonb_build_object(
            'ordinal', capture.ordinal_number, 'current', capture.status
          ));
        end if;
      end loop;
      if tg_op = 'DELETE' then
        return old;
      end if;
      return new;
    end
    $$
    """,
    # I-4. Columns are compared by name, so that later ones are fixed too. Sealing replaces the payload, once. Until a
    # version has begun it may be moved, to a time that is still to come.
    """
    create function published_profile_stays() returns trigger language plpgsql as $$
    declare
      looked_at constant text[] := '{status,valid_from,valid_to,payload,payload_sealed}';
      was constant jsonb := to_jsonb(old);
      becomes constant jsonb := to_jsonb(new);
      seals constant boolean := was ->> 'payload_sealed' is null and becomes ->> 'payload_sealed' is not null;
      moves constant boolean := new.valid_from is distinct from old.valid_from;
      ahead constant boolean := coalesce(
        old.valid_from > clock_timestamp() and new.valid_from > clock_timestamp(), false
      );
      intact boolean;
    begin
      if seals then
        intact := becomes ->> 'payload' is null;
      else
        intact := becomes -> 'payload' is not distinct from was -> 'payload'
          and becomes -> 'payload_sealed' is not distinct from was -> 'payload_sealed';
      end if;
      if not intact or becomes - looked_at <> was - looked_at or (moves and not ahead) then
        perform refuse('profile_published', jsonb_build_object('version', old.version, 'current', old.status));
      end if;
      return new;
    end
    $$
    """,
)

# Triggers of one table fire in the order of their names: moves before what depends on them, captures before sensors.
RULES = (
    """
    create trigger sensor_kept before delete on sensor
    for each row execute function sensor_is_free()
    """,
    """
    create trigger sensor_kept_softly before update of deleted_at on sensor
    for each row when (old.deleted_at is null and new.deleted_at is not null)
    execute function sensor_is_free()
    """,
    """
    create trigger run_sensor_there before insert or update of sensor_id on run_sensor
    for each row execute function sensor_is_there()
    """,
    """
    create trigger capture_sensor_frozen before insert or update or delete on capture_sensor
    for each row execute function capture_is_draft()
    """,
    """
    create trigger capture_sensor_there before insert or update of sensor_id on capture_sensor
    for each row execute function sensor_is_there()
    """,
    # Nor are captures truncated, which could be done only together with their sensors.
    """
    create trigger capture_sensor_kept before truncate on capture_sensor
    for each statement execute function refused('capture_frozen')
    """,
    """
    create trigger experiment_begins before insert on experiment
    for each row when (new.status <> 'draft')
    execute function refused('experiment_status')
    """,
    """
    create trigger experiment_moves before update of status on experiment
    for each row when (old.status <> new.status and (old.status, new.status) not in (
      ('draft', 'running'), ('draft', 'archived'),
      ('running', 'succeeded'), ('running', 'failed'), ('running', 'archived'),
      ('succeeded', 'running'), ('succeeded', 'archived'),
      ('failed', 'running'), ('failed', 'archived')
    ))
    execute function refused('experiment_status')
    """,
    """
    create trigger experiment_rests before update of status on experiment
    for each row when (old.status <> new.status and new.status = 'archived')
    execute function experiment_has_no_active_run()
    """,
    """
    create trigger run_begins before insert on run
    for each row when (new.status <> 'draft')
    execute function refused('run_status')
    """,
    """
    create trigger run_comes before insert on run
    for each row execute function experiment_is_open()
    """,
    """
    create trigger run_moves before update of status on run
    for each row when (old.status <> new.status and (old.status, new.status) not in (
      ('draft', 'scheduled'), ('draft', 'running'), ('draft', 'archived'),
      ('scheduled', 'draft'), ('scheduled', 'running'), ('scheduled', 'failed'), ('scheduled', 'archived'),
      ('running', 'succeeded'), ('running', 'failed'),
      ('failed', 'archived'),
      ('succeeded', 'archived')
    ))
    execute function refused('run_status')
    """,
    """
    create trigger run_rests before update of status on run
    for each row when (old.status = 'running' and new.status <> 'running')
    execute function run_records_nothing()
    """,
    """
    create trigger run_wakes before update of experiment_id, status on run
    for each row when (
      old.experiment_id <> new.experiment_id
      or (old.status <> new.status and new.status in ('scheduled', 'running'))
    )
    execute function experiment_is_open()
    """,
    """
    create trigger capture_session_begins before insert on capture_session
    for each row when (new.status <> 'draft')
    execute function refused('capture_status')
    """,
    """
    create trigger capture_session_moves before update of status on capture_session
    for each row when (old.status <> new.status and (old.status, new.status) not in (
      ('draft', 'running'), ('draft', 'failed'),
      ('running', 'finished'), ('running', 'failed'),
      ('finished', 'sealed')
    ))
    execute function refused('capture_status')
    """,
    """
    create trigger capture_session_starts before update of status on capture_session
    for each row when (old.status <> new.status and new.status = 'running')
    execute function capture_can_start()
    """,
    """
    create trigger capture_session_range before update on capture_session
    for each row when (
      (old.run_id, old.ordinal_number) is distinct from (new.run_id, new.ordinal_number)
      or old.status not in ('draft', 'running')
        and (old.started_at, old.stopped_at) is distinct from (new.started_at, new.stopped_at)
    )
    execute function refused('capture_range')
    """,
    """
    create trigger capture_session_kept before delete on capture_session
    for each row when (old.status not in ('draft', 'failed'))
    execute function refused('capture_kept')
    """,
    """
    alter table capture_session add constraint capture_session_has_range check (
      case status
        when 'running' then started_at is not null
        when 'finished' then started_at is not null and stopped_at is not null
        when 'sealed' then started_at is not null and stopped_at is not null
        else true
      end
    )
    """,
    """
    create trigger conversion_profile_moves before update of status on conversion_profile
    for each row when (old.status <> new.status and (old.status, new.status) not in (
      ('draft', 'scheduled'), ('draft', 'active'),
      ('scheduled', 'active'), ('scheduled', 'deprecated'),
      ('active', 'deprecated')
    ))
    execute function refused('profile_status')
    """,
    """
    create trigger conversion_profile_stays before update on conversion_profile
    for each row when (old.status <> 'draft')
    execute function published_profile_stays()
    """,
    """
    create trigger conversion_profile_kept before delete on conversion_profile
    for each row when (old.status <> 'draft')
    execute function refused('profile_published')
    """,
    """
    create trigger conversion_profile_kept_all before truncate on conversion_profile
    for each statement execute function refused('profile_published')
    """,
)

# Their triggers go with them.
DOWN = """
drop function sensor_is_free(), sensor_is_there(), experiment_has_no_active_run(), experiment_is_open(),
  capture_can_start(), run_records_nothing(), capture_is_draft(), published_profile_stays(), refused(),
  refuse(text, jsonb)
cascade
"""


def upgrade() -> None:
    for statement in (*FUNCTIONS, *RULES):
        op.execute(statement)


def downgrade() -> None:
    op.drop_constraint("capture_session_has_range", "capture_session")
    op.execute(DOWN)
