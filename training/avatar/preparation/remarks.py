"""What its owner should know of a film that will do: what was made of it, and what would be better."""

from training.avatar.preparation.preflight import Report

LARGE = 1920 * 1080  # pixels; what is beyond is not seen in a face
LATE_S, LEFT_OUT_S = 0.02, 1.0  # smaller ones are not worth a word
LITTLE_S, SMALL_FACE = 20.0, 160.0
FULL_HD = 1080  # lines


def remarks(report: Report) -> tuple[str, ...]:
    """In Chinese, of a report without problems, once the film is made ready."""
    late = "晚" if report.mouth_late_s > 0 else "早"
    said = (
        (report.rotation != 0, f"视频文件中的画面旋转了 {report.rotation} 度，已转正"),
        (report.uneven, f"视频帧率不固定（平均每秒 {report.fps:.1f} 帧），已换算为每秒 25 帧，最好用固定帧率拍摄"),
        (
            report.width * report.height > LARGE and report.face_height * FULL_HD / _lines(report) >= SMALL_FACE,
            f"分辨率 {report.width}×{report.height} 高于需要，已裁剪并缩小，用 1080p 拍摄即可",
        ),
        (
            abs(report.mouth_late_s) > LATE_S,
            f"口型比声音{late} {abs(report.mouth_late_s):.2f} 秒，已对齐",
        ),
        (
            report.duration_s > report.part_s + LEFT_OUT_S,
            f"视频长 {report.duration_s:.0f} 秒，使用从第 {report.part_from_s:.0f} 秒起、口型和声音最丰富的"
            f" {report.part_s:.0f} 秒",
        ),
        (report.duration_s < LITTLE_S, f"视频只有 {report.duration_s:.0f} 秒，1 至 5 分钟的讲话效果更好"),
        (report.face_height < SMALL_FACE, f"人脸高度只有 {report.face_height:.0f} 像素，靠近镜头会更清晰"),
    )
    return tuple(text for true, text in said if true)


def _lines(report: Report) -> int:
    return min(report.width, report.height)
