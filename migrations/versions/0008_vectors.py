"""Samples that are arrays over an axis which their sensor declares."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        alter table sensor
          add column axis jsonb,
          add constraint sensor_axis check (
            axis is null
            or (
              axis ?& array['quantity', 'unit', 'start', 'step', 'count']
              and (axis ->> 'count')::int between 1 and 16384
            )
          )
        """
    )
    # The headlines stand among the scalars; `identity` is 64 bits of the hash of all elements.
    op.execute(
        """
        create table telemetry_vector (
          sensor_no int not null,
          t bigint not null,
          identity bigint not null,
          profile_version int not null,
          received_at bigint not null,
          raw float8[] not null,
          physical float8[] not null,
          status bytea,
          primary key (sensor_no, t, identity)
        )
        """
    )


def downgrade() -> None:
    # Without their table vectors would be gone for good, and nobody could tell.
    op.execute(
        """
        do $$
        begin
          if exists (select from telemetry_vector) then
            raise exception 'vector samples are stored, which older versions cannot hold: restore a backup instead';
          end if;
        end
        $$
        """
    )
    op.drop_table("telemetry_vector")
    op.execute("alter table sensor drop column axis")
