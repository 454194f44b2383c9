# The image of punctual: one static binary on scratch, with certificate roots, and time zones where they are newer than
# those built in.
#
#   docker build -t punctual .
#   cargo vendor > .cargo/config.toml && docker build --network none -t punctual .     without a network
#   docker build --target prebuilt -t punctual .              of what image/rootfs.sh has put into target/image
#
# RUST is any image with cargo, a C compiler and a static libc: Alpine's, or Debian's (libc6-dev).
ARG RUST=docker.io/library/rust:1.95-alpine

# Who it runs as, and how: all but the files.
FROM scratch AS frame
ARG VERSION=0.1.0
ARG COMMIT=
LABEL org.opencontainers.image.title="punctual" \
      org.opencontainers.image.description="Runs Kubernetes CronJobs on time: in a cluster, or on one machine with no cluster at all." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}"
USER 65532:65532
ENTRYPOINT ["/punctual"]
CMD ["controller"]

FROM frame AS prebuilt
COPY target/image /

FROM ${RUST} AS build
# The newest time zones, if there is a network.
RUN apk add --no-cache tzdata || true
WORKDIR /src
COPY . .
ARG COMMIT=
# With a target named, procedural macros are left as they have to be, and the binary is static with every libc. Nothing is
# loaded beside it, so it keeps no table to be moved in memory: 1.5 MB less.
RUN target=$(rustc -vV | sed -n 's/^host: //p') && \
    PUNCTUAL_COMMIT="$COMMIT" RUSTFLAGS="-C target-feature=+crt-static -C relocation-model=static" cargo build --locked --release --target "$target" && \
    sh image/rootfs.sh "target/$target/release/punctual" /rootfs

FROM frame
COPY --from=build /rootfs /
