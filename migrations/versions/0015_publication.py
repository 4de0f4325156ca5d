"""Publication of profile versions: when each applies, one at a time, and what units it was made for."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

UP = (
    """
    alter table conversion_profile
      add column input_unit text,
      add column display_unit text,
      add column published_by uuid,
      add column published_at timestamptz
    """,
    # Nothing but a publication moves a stored status: what a version is now is told by its times, whether or not
    # any worker runs. A version that was withdrawn before it began is deprecated with no time at all.
    """
    create function profile_standing(status text, valid_from timestamptz, valid_to timestamptz) returns text
    language sql stable as $$
      select case
        when status in ('draft', 'deprecated') then status
        when valid_to <= statement_timestamp() then 'deprecated'
        when valid_from > statement_timestamp() then 'scheduled'
        else 'active'
      end
    $$
    """,
    # T-8. At no time two versions of a sensor apply. Whoever publishes locks the sensor, waits for whoever does the
    # same, and then sees what that one did.
    """
    create function profile_is_alone() returns trigger language plpgsql as $$
    declare
      rival record;
    begin
      perform from sensor where id = new.sensor_id for no key update;
      select version, valid_from into rival
      from conversion_profile other
      where other.sensor_id = new.sensor_id and other.id <> new.id and other.status <> 'draft'
        and coalesce(other.valid_from, '-infinity') < coalesce(other.valid_to, 'infinity')
        and coalesce(other.valid_from, '-infinity') < coalesce(new.valid_to, 'infinity')
        and coalesce(new.valid_from, '-infinity') < coalesce(other.valid_to, 'infinity')
      order by other.valid_from nulls first
      limit 1;
      if found then
        perform refuse('profile_alone', jsonb_build_object(
          'version', rival.version, 'valid_from', coalesce(to_char(rival.valid_from at time zone 'UTC',
          'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'the beginning')
        ));
      end if;
      return new;
    end
    $$
    """,
    """
    create trigger conversion_profile_succeeds
    before insert or update of sensor_id, status, valid_from, valid_to on conversion_profile
    for each row when (
      new.status <> 'draft' and coalesce(new.valid_from, '-infinity') < coalesce(new.valid_to, 'infinity')
    )
    execute function profile_is_alone()
    """,
)

DOWN = (
    "drop function profile_is_alone() cascade",
    "drop function profile_standing(text, timestamptz, timestamptz)",
    """
    alter table conversion_profile
      drop column input_unit, drop column display_unit, drop column published_by, drop column published_at
    """,
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
