# What the other scripts begin with: parts of an answer, each with a time limit and its own error.
# A part that hangs is left behind with its runspace; the rest goes on in another one.
$answer = [ordered]@{}
$room = $null
$clock = [Diagnostics.Stopwatch]::StartNew()
function Read-Part([string]$Name, [int]$Seconds, [scriptblock]$Work) {
  $left = [Math]::Min($Seconds, $budget - [int]$clock.Elapsed.TotalSeconds)
  if ($left -le 0) { $answer[$Name + '_error'] = 'timeout'; return }
  try {
    if ($null -eq $script:room) { $script:room = [runspacefactory]::CreateRunspace(); $script:room.Open() }
    $shell = [powershell]::Create()
    $shell.Runspace = $script:room
    [void]$shell.AddScript('$ErrorActionPreference=''Stop'';$ProgressPreference=''SilentlyContinue'';' + $Work.ToString())
    $running = $shell.BeginInvoke()
    if (-not $running.AsyncWaitHandle.WaitOne($left * 1000)) {
      $script:room = $null
      $answer[$Name + '_error'] = 'timeout'
      return
    }
    $answer[$Name] = @($shell.EndInvoke($running))
  } catch {
    $cause = $_.Exception
    if ($null -ne $cause.InnerException) { $cause = $cause.InnerException }
    $id = ''
    if ($null -ne $cause.ErrorRecord) { $id = $cause.ErrorRecord.FullyQualifiedErrorId }
    $answer[$Name + '_error'] = '{0} {1} 0x{2:x8}' -f $cause.Message, $id, $cause.HResult
  }
}
function Write-Answer {
  [Console]::Out.Write(([pscustomobject]$answer | ConvertTo-Json -Depth 5 -Compress))
  [Console]::Out.Flush()
  [Environment]::Exit(0)
}
